"""The two cross-validated scores that pages show: what each is called, and what it is."""

OF_CANDIDATE = "Cross-validated score of the candidate"
OF_MODEL = "Cross-validated score of the model"
SCORE = "Balanced accuracy"
BY_SUBJECT = "The photos of a subject are in one fold only, unless each label is one person."
CANDIDATE_HELP = (
    "Balanced accuracy of one member alone with these parameters, before calibration: mean and "
    "standard deviation over the folds."
)
MODEL_HELP = (
    "Balanced accuracy of what is stored, all members fused and calibrated: mean and standard "
    "deviation over the folds of the training photos, each calibrated on the others."
)
DEFINITION = (
    "The *cross-validated score of the candidate* is the balanced accuracy of one member alone "
    "with one set of parameters, before calibration. The *cross-validated score of the model* is "
    "that of what is stored: the best candidates of all members, fused and calibrated, in folds of "
    "the same photos. Calibration moves the border between the labels, and a model that is safe to "
    "share decides by means of faces, so the two differ even where the model has one member."
)
