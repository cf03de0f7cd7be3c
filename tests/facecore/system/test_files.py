"""Files are written whole or not at all."""

from facecore.system.files import lock


def test_a_lock_is_held_once_until_its_file_is_closed(tmp_path):
    path = tmp_path / "lock"
    with open(path, "a+b") as first, open(path, "r+b") as second:
        assert lock(first)
        assert not lock(second)
        first.close()
        assert lock(second)


def test_a_shared_lock_is_held_by_many_but_not_beside_one_of_its_own(tmp_path):
    path = tmp_path / "lock"
    with open(path, "a+b") as first, open(path, "r+b") as second, open(path, "r+b") as third:
        assert lock(first, shared=True)
        assert lock(second, shared=True)
        assert not lock(third)
        first.close()
        second.close()
        assert lock(third)
