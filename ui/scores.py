"""The two cross-validated scores that pages show: what each is called, and what it is."""

OF_CANDIDATE = "Cross-validated score of the candidate"
OF_MODEL = "Cross-validated score of the model"
SCORE = "Balanced accuracy"
BY_SUBJECT = "The photos of a subject are in one fold only, unless each label is one person."
CANDIDATE_HELP = (
    "Balanced accuracy of one member alone with these parameters, the border between two labels "
    "set on the other folds: mean and standard deviation over the folds."
)
MODEL_HELP = (
    "Balanced accuracy of what is stored, all members fused and calibrated: mean and standard "
    "deviation over the folds of the training photos, each calibrated on the others."
)
DEFINITION = (
    "The *cross-validated score of the candidate* is the balanced accuracy of one member alone "
    "with one set of parameters; in each fold, the border between two labels is where calibration "
    "on the other folds puts it, as it will be in a model. The *cross-validated score of the "
    "model* is that of what is stored: the best candidates of all members, fused and calibrated, "
    "in folds of the same photos. With one member the two are the same, but for a model that is "
    "safe to share: its machines decide by means of faces, those of the search by faces."
)
