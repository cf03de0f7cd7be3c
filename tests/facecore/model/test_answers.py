from dataclasses import replace

from facecore.model.answers import same_faces
from facecore.model.predict import predict_photo


def test_what_json_shows_is_rounded_and_plain(photo, tiny_model):
    told = predict_photo(photo, tiny_model, name="p").to_dict()
    assert set(told) == {"photo", "error", "faces"}
    (face,) = told["faces"]
    assert set(face) == {"box", "label", "probability", "scores", "reason"}
    assert (face["label"], face["reason"]) == ("round", None)
    assert all(type(v) is int for v in face["box"])
    assert set(face["scores"]) == set(tiny_model.labels)
    assert face["probability"] == round(face["probability"], 4)


def test_faces_in_the_same_place_are_paired_whatever_their_order(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    (face,) = answer.faces
    x, y, w, h = face.box
    near = replace(face, box=(x + w // 10, y, w, h))
    nearer = replace(face, box=(x + w // 20, y, w, h))
    elsewhere = replace(face, box=(x + w, y, w, h))
    other = replace(answer, faces=(elsewhere, near, nearer))
    assert same_faces(answer, answer) == [(0, 0)]
    assert same_faces(answer, other) == [(0, 2)]
    assert same_faces(answer, replace(answer, faces=(elsewhere,))) == []
