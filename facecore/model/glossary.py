"""The words of the field, each explained in a few sentences, for the dashboard and the docs."""

GLOSSARY = {
    "abstain": "To give no label because the answer would be too uncertain. The answer is then "
    '"unsure".',
    "accuracy": "The share of answers that are right.",
    "balanced accuracy": "The mean of the labels' recalls. A model that always answers the most "
    "frequent label gets no advantage from it.",
    "bias": "A model has a bias if it errs more on some groups of faces than on others. Often the "
    "choice of its training faces was skewed.",
    "Brier score": "The mean squared distance between the probabilities that were given and what "
    "was true. 0 is best; being sure and wrong costs most.",
    "calibration": "How well probabilities fit the truth: of the answers given with probability "
    "0.8, eight in ten should be right.",
    "component": "One direction in which the training faces differ, found by PCA. The first one "
    "is the direction in which they differ most.",
    "confidence interval": "The range in which a figure probably lies. Few photos give a wide "
    "range. At 95%, nineteen of twenty such ranges contain the true figure.",
    "confusion matrix": "A table that counts answers by true label and answered label. Right "
    "answers are on its diagonal.",
    "crop": "The part of a photo that contains a face, cut out by the detector's box.",
    "cross-validation": "Train on most of the photos, test on the rest, and repeat until each "
    "photo was tested once. Each of these rests is a fold.",
    "decision": "The number from which a probability is computed: 0 is the border between two "
    "labels, and the farther from it, the surer the model.",
    "detector": "The program that searches a photo for faces and draws a box around each.",
    "distance from face space": "How much of a face is left over when it is reconstructed from "
    "the eigenfaces. A large distance means that it resembles no training face.",
    "eigenface": "A component of face pictures. Since each of its numbers belongs to a pixel, it "
    "can be shown as a picture: adding it to a face brightens some places and darkens others.",
    "embedding": "A short row of numbers that a deep network computes from a face. Faces of the "
    "same person get similar numbers.",
    "explained variance": "The share of all differences between the training faces that a "
    "component accounts for.",
    "face space": "All faces that can be built as the mean face plus some amount of each "
    "eigenface.",
    "Fisherface": "A direction in which the labels differ most, compared with how faces of the "
    "same label differ. It is drawn as an eigenface is.",
    "grid search": "Try every combination of a list of settings by cross-validation, and keep the "
    "best.",
    "heat map": "A picture or table in which colours stand for numbers.",
    "hyperparameter": "A setting that is chosen before training, such as the number of components.",
    "label": "The word that the model answers. In training data it is what an annotator wrote "
    "about the photo.",
    "mean face": "The average of all training faces, pixel by pixel.",
    "min-max": "Shift and stretch each number so that the smallest training value becomes 0 and "
    "the largest becomes 1.",
    "model": "What training produces: the numbers and rules that turn a new photo into an answer.",
    "PCA": "Principal component analysis. It finds the directions in which data differ most, so "
    "that a few numbers replace many.",
    "pixel": "A dot of a picture. In a grey picture it is one number, from black to white.",
    "precision": "Of the answers that name a label, the share whose photos have it.",
    "probability": "How sure the model is of a label, from 0 to 1. It is a statement of the "
    "model, not a fact about the person.",
    "recall": "Of the photos with a label, the share that the model recognises.",
    "recipe": "How a photo becomes a row of numbers: detector, alignment, size and features. A "
    "model stores the recipe of its training and reads new photos by the same one.",
    "reconstruct": "Build a face again from the mean face and its weights. With few eigenfaces it "
    "is blurred, because fine differences are left out.",
    "ROC curve": "For every threshold, the share of a label's photos that are recognised, drawn "
    "against the share of other photos that wrongly get this label.",
    "standard deviation": "How far numbers usually lie from their mean. Of the weights of faces, "
    "about 19 in 20 lie within two standard deviations of it.",
    "subject": "The person on a photo. All photos of a subject stay on one side of a split.",
    "support vector machine": "A classifier that draws the border with the widest margin between "
    "two labels (Cortes and Vapnik 1995). SVM for short.",
    "synthetic face": "A face drawn at random from face space. It shows no real person.",
    "test set": "Photos that were kept away from training, to measure the finished model once.",
    "threshold": "The value from which on a score counts as a yes.",
    "weight": "How much of an eigenface a face contains. The weights of a face are its "
    "coordinates in face space.",
}


def glossary_page() -> str:
    """Return the glossary as a page in Markdown.

    Returns
    -------
    str
        A heading and one paragraph per term, in alphabetical order.

    Examples
    --------
    >>> print(glossary_page()[:10])
    # Glossary
    """
    terms = sorted(GLOSSARY, key=str.casefold)
    lines = [f"**{term[0].upper()}{term[1:]}**: {GLOSSARY[term]}" for term in terms]
    return "\n\n".join(["# Glossary", "The words of the field that the pages use.", *lines]) + "\n"
