"""Folders of images: layouts, splits.csv, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dse.data import load_dataset
from dse.errors import DataError, InvalidValue, UnknownName

from .conftest import MakeFolder


def write_manifest(folder: Path, *lines: str) -> None:
    (folder / "splits.csv").write_text("\n".join(lines) + "\n")


def test_classes_are_the_sorted_sub_folders(make_folder: MakeFolder) -> None:
    folder = make_folder("zebra", "ant")
    data = load_dataset(folder, image_size=8)
    assert data.name == "pictures"
    assert data.classes == ("ant", "zebra")
    assert data.labels.tolist() == [0] * 4 + [1] * 4
    assert data.labels.dtype == np.int64
    assert data.images.shape == (8, 8, 8)
    assert data.images.dtype == np.uint8
    assert data.images.flags.c_contiguous
    assert (data.image_size, data.channels) == (8, 1)
    assert data.groups is data.folds is data.test is None
    assert not data.synthetic
    assert data.skipped == ()
    assert "no patients" in data.note


def test_default_size_is_64(make_folder: MakeFolder) -> None:
    assert load_dataset(str(make_folder("a", "b"))).image_size == 64


def test_digest_follows_the_content(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b")
    before = load_dataset(folder, image_size=8)
    assert before.digest == load_dataset(folder, image_size=8).digest
    assert len(before.digest) == 16
    (folder / "b").rename(folder / "c")
    renamed = load_dataset(folder, image_size=8)
    np.testing.assert_array_equal(renamed.images, before.images)
    assert renamed.digest != before.digest


def test_leavings_and_other_files_are_ignored(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b")
    (folder / "__MACOSX" / "a").mkdir(parents=True)
    (folder / "__MACOSX" / "a" / "0.png").write_bytes(b"x")
    (folder / ".hidden").mkdir()
    (folder / "a" / "._0.png").write_bytes(b"x")
    (folder / "a" / "notes.txt").write_text("x")
    (folder / "README.md").write_text("x")
    data = load_dataset(folder, image_size=8)
    assert data.classes == ("a", "b")
    assert len(data.labels) == 8
    assert data.skipped == ()


def test_images_are_found_at_any_depth_and_through_links(make_folder: MakeFolder) -> None:
    folder = make_folder("a/left", "a/right", "b")
    (folder / "b" / "circle").symlink_to(folder / "b")
    other = make_folder("c", name="elsewhere")
    (folder / "c").symlink_to(other / "c")
    data = load_dataset(folder, image_size=8)
    assert data.classes == ("a", "b", "c")
    assert np.bincount(data.labels).tolist() == [8, 4, 4]


def test_damaged_images_are_named_and_left_out(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b")
    (folder / "a" / "2.png").write_bytes(b"")
    data = load_dataset(folder, image_size=8)
    assert [s.file for s in data.skipped] == ["a/2.png"]
    assert np.bincount(data.labels).tolist() == [3, 4]


def test_published_parts(make_folder: MakeFolder) -> None:
    folder = make_folder("train/a", "train/b", "val/a", "val/b", "test/a", "test/b")
    data = load_dataset(folder, image_size=8)
    assert data.classes == ("a", "b")
    assert data.test is not None
    assert data.test.sum() == 8
    assert "validation part is merged" in data.note
    split = data.splits()
    assert set(split.test) == set(np.flatnonzero(data.test))


def test_a_class_may_be_called_train(make_folder: MakeFolder) -> None:
    data = load_dataset(make_folder("car", "train"), image_size=8)
    assert data.classes == ("car", "train")
    assert data.test is None


def test_manifest_gives_patients_and_folds(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b", count=3)
    rows = [f"{c}/{i}.png,{c},{c}{i},{i}" for c in "ab" for i in range(3)]
    write_manifest(folder, "File, Label ,patient,fold", *rows, "a/gone.png,a,a9,0", "")
    (folder / "a" / "extra.png").write_bytes(b"not listed")
    data = load_dataset(folder, image_size=8)
    assert data.folds is not None
    assert data.groups is not None
    assert data.folds.tolist() == [0, 1, 2, 0, 1, 2]
    assert data.groups.tolist() == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert [s.file for s in data.skipped] == ["a/gone.png"]
    assert "does not list them: 1 images" in data.note


def test_an_edited_manifest_is_obeyed_though_pixels_are_cached(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b", count=2)
    files = [f"{c}/{i}.png" for c in "ab" for i in range(2)]
    write_manifest(folder, "file,label", *(f"{file},{file[0]}" for file in files))
    assert load_dataset(folder, image_size=8).labels.tolist() == [0, 0, 1, 1]
    write_manifest(folder, "file,label", *(f"{file},{'ba'[file[0] == 'b']}" for file in files))
    assert load_dataset(folder, image_size=8).labels.tolist() == [1, 1, 0, 0]


def test_manifest_split_column(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b")
    parts = ["train", "train", "val", "test"]
    rows = [f"{c}/{i}.png,{c},{parts[i]}" for c in "ab" for i in range(4)]
    write_manifest(folder, "file,label,split", *rows)
    data = load_dataset(folder, image_size=8)
    assert data.test is not None
    assert data.test.tolist() == [False, False, False, True] * 2
    assert data.folds is None


def test_an_image_without_patient_is_a_group_of_its_own(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b", count=2)
    write_manifest(
        folder, "file,label,group", "a/0.png,a,p", "a/1.png,a,", "b/0.png,b,p", "b/1.png,b,"
    )
    data = load_dataset(folder, image_size=8)
    assert data.groups is not None
    assert data.groups.tolist() == ["p", "a/1.png", "p", "b/1.png"]
    assert "2 of 4" in data.note


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,patient", "a/0.png,x"], "'label'"),
        ([""], "'file'"),
        (["file,label", "../x.png,a"], r"inside the data folder, got '../x.png', line 2"),
        (["file,label", "a/../../x.png,a"], "inside the data folder"),
        (["file,label", r"..\x.png,a"], "inside the data folder"),
        (["file,label", "/etc/x.png,a"], "inside the data folder"),
        (["file,label,fold", "a/0.png,a,0", "a/1.png,a,one"], "integer, got 'one', line 3"),
        (["file,label,fold", "a/0.png,a,"], "integer, got ''"),
        (["file,label,fold", "a/0.png,a"], "3 values, got 2, line 2"),
        (["file,label", "a,0.png,a"], "2 values, got 3, line 2"),
        (["file,label", ".,a"], "inside the data folder"),
        (["file,label", r"C:\x.png,a"], "inside the data folder"),
        (["file,label,split", "a/0.png,a,dev"], "got 'dev', line 2"),
        (["file,label", "a/0.png,"], "must not be empty.*line 2"),
        (["file,label", "a/0.png,a", "a/0.png,a"], "lines 2 and 3"),
        (["file,label,fold,split", "a/0.png,a,1,test"], "not both"),
        (["file,label,patient,fold", "a/0.png,a,ann,0", "b/0.png,b,ann,1"], "'ann'.*two folds"),
        (["file,label,patient,split", "a/0.png,a,ann,test", "b/0.png,b,ann,val"], "'ann'.*parts"),
        (["file,label", "a/0.png,a", "a/1.png,a"], "two classes"),
        (["file,label", "a/0.png,a", "gone.png,b"], "'b' has none.*gone.png"),
        (["file,label", '"a/0.png,a'], "comma-separated"),
    ],
)
def test_bad_manifests(make_folder: MakeFolder, lines: list[str], message: str) -> None:
    folder = make_folder("a", "b")
    write_manifest(folder, *lines)
    with pytest.raises(DataError, match=message):
        load_dataset(folder, image_size=8)


def test_manifest_must_be_text(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b")
    (folder / "splits.csv").write_bytes("file,label\nä,a".encode("latin1"))
    with pytest.raises(DataError, match="UTF-8"):
        load_dataset(folder)


def test_manifest_of_excel_has_a_byte_order_mark(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b", count=1)
    content = "file,label\r\na/0.png,a\r\nb/0.png,b\r\n"
    (folder / "splits.csv").write_bytes(content.encode("utf-8-sig"))
    assert load_dataset(folder, image_size=8).classes == ("a", "b")


def test_empty_class(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b")
    (folder / "void").mkdir()
    with pytest.raises(DataError, match="'void' has none"):
        load_dataset(folder)


def test_class_of_damaged_images_only(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b", count=1)
    (folder / "b" / "0.png").write_bytes(b"junk")
    with pytest.raises(DataError, match=r"'b' has none.*b/0.png: not an image"):
        load_dataset(folder)


def test_one_class_is_too_few(make_folder: MakeFolder) -> None:
    with pytest.raises(DataError, match="at least two classes"):
        load_dataset(make_folder("only"))


def test_no_images_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least two classes"):
        load_dataset(tmp_path)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="that exists"):
        load_dataset(tmp_path / "absent")
    with pytest.raises(DataError, match="that exists"):
        load_dataset("./absent")


def test_a_name_that_is_not_known() -> None:
    with pytest.raises(UnknownName, match="did you mean 'covid'"):
        load_dataset("cvoid")
    with pytest.raises(UnknownName, match="known: cifar10, covid, digits"):
        load_dataset("")


def test_a_seed_is_not_negative(make_folder: MakeFolder) -> None:
    with pytest.raises(InvalidValue, match="seed must be 0 or more, got -1"):
        load_dataset("covid", seed=-1)
    with pytest.raises(InvalidValue, match="seed must be 0 or more, got -1"):
        load_dataset(make_folder("a", "b"), image_size=8).splits(seed=-1)


@pytest.mark.parametrize("size", [0, 7, 1025])
def test_image_size_has_limits(size: int) -> None:
    with pytest.raises(InvalidValue, match="8 to 1024"):
        load_dataset("digits", image_size=size)


def test_a_bare_name_may_lie_in_the_data_directory(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder("a", "b")
    assert load_dataset("pictures", data_dir=folder.parent, image_size=8).name == "pictures"
    monkeypatch.setenv("DSE_DATA", str(folder.parent))
    assert load_dataset("pictures", image_size=8).classes == ("a", "b")


def test_a_relative_path_has_its_folders_name(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_folder("a", "b"))
    assert load_dataset(".", image_size=8).name == "pictures"


def test_an_unreadable_file_is_skipped(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b")
    (folder / "a" / "link.png").symlink_to(folder / "nowhere.png")
    assert not os.path.exists(folder / "a" / "link.png")
    data = load_dataset(folder, image_size=8)
    assert [(s.file, s.reason) for s in data.skipped] == [("a/link.png", "no such file")]


def test_colour_folder(make_folder: MakeFolder) -> None:
    folder = make_folder("a", "b")
    Image.new("RGB", (9, 9), (250, 10, 10)).save(folder / "a" / "red.jpg")
    data = load_dataset(folder, image_size=8)
    assert data.images.shape == (9, 8, 8, 3)
    assert data.channels == 3
