"""Frozen encoders: order, padding, windows, pooling, identity, errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertForMaskedLM

from text_conditioning.encoders import FrozenTextEncoder
from text_conditioning.errors import EncoderError
from text_conditioning.registry import Pooling
from text_conditioning.whitening import Whitening

SITES = [
    f"{level} lobe of the {{side}} lung" if form else f"{{side}} {level} lobe"
    for level in ("upper", "lower")
    for form in (0, 1)
]
FINDINGS = ["8 mm nodule in the {}.", "There is a mass in the {}.", "A solid lesion is seen in the {}.", "Opacity, {}."]
TWINS = [(f.format(s.format(side="left")), f.format(s.format(side="right"))) for f in FINDINGS for s in SITES]
OTHERS = [
    "The heart is normal in size.",
    "No pleural effusion.",
    "No enlarged lymph nodes in the mediastinum.",
    "The trachea is in the midline.",
    "Degenerative changes of the spine.",
    "Small hiatal hernia.",
]


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.astype(float), b.astype(float)
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def test_it_is_frozen_and_in_eval_mode(minilm: FrozenTextEncoder) -> None:
    assert not any(p.requires_grad for p in minilm._model.parameters())
    assert not any(m.training for m in minilm._model.modules())


def test_vectors_agree_with_the_model_card(minilm: FrozenTextEncoder) -> None:
    """The card's recipe: mean of the token states under the attention mask (we leave out its normalisation)."""
    text = "8 mm nodule in the left upper lobe."
    tokens = AutoTokenizer.from_pretrained(minilm.source)(text, return_tensors="pt")
    with torch.no_grad():
        expected = AutoModel.from_pretrained(minilm.source).eval()(**tokens).last_hidden_state[0].mean(0).numpy()
    assert np.allclose(minilm.encode([text])[0], expected, atol=1e-3)


def test_order_of_input_is_kept_and_batching_changes_nothing(minilm: FrozenTextEncoder) -> None:
    sentences = ["No.", " ".join(["nodule"] * 80), *OTHERS]
    together = minilm.encode(sentences)
    alone = np.concatenate([minilm.encode([s]) for s in sentences])
    assert together.dtype == np.float16
    assert together.shape == (len(sentences), minilm.dim)
    assert np.allclose(together, alone, atol=2e-3)
    assert cosine(together, alone).min() > 0.9999


def test_progress_adds_up_to_the_number_of_sentences(tiny_bert: Path) -> None:
    steps: list[int] = []
    sentences = ["a nodule in the lung"] * 5 + ["nodule " * 100]
    FrozenTextEncoder(tiny_bert, batch_size=2).encode(sentences, progress=steps.append)
    assert sum(steps) == 6
    assert len(steps) > 1


def test_no_sentences_give_no_vectors(minilm: FrozenTextEncoder) -> None:
    assert minilm.encode([]).shape == (0, minilm.dim)


def test_white_space_inside_a_sentence_does_not_matter(minilm: FrozenTextEncoder) -> None:
    a, b = minilm.encode(["Nodule in the\n  left lobe.", "Nodule in the left lobe."])
    assert np.array_equal(a, b)


def test_a_sentence_of_600_tokens_is_read_to_its_end(minilm: FrozenTextEncoder) -> None:
    start = "The heart is normal in size and shape. " * 70
    plain, left, again = minilm.encode([start, start + "Large mass in the left kidney. " * 5, start])
    assert len(minilm._tokenizer(start)["input_ids"]) > 600 > minilm.window
    assert np.array_equal(plain, again)
    assert cosine(plain, left) < 0.99


def test_windows_are_weighted_by_their_tokens(tiny_bert: Path) -> None:
    encoder = FrozenTextEncoder(tiny_bert)
    words = ["nodule", "mass", "left", "right", "lung"] * 9
    ids = encoder._tokenizer(" ".join(words), add_special_tokens=False)["input_ids"]
    windows = encoder._windows(ids)
    assert [i for window in windows for i in window] == ids
    assert max(map(len, windows)) + 2 <= encoder.window == 24
    pieces = encoder.encode([encoder._tokenizer.decode(window) for window in windows]).astype(float)
    expected = np.average(pieces, axis=0, weights=[len(window) for window in windows])
    assert np.allclose(encoder.encode([" ".join(words)])[0], expected, atol=5e-3)


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_pooling_of_a_bert(tiny_bert: Path, pooling: Pooling) -> None:
    encoder = FrozenTextEncoder(tiny_bert, pooling=pooling)
    sentence = "a nodule in the left lung"
    tokens = AutoTokenizer.from_pretrained(tiny_bert)(sentence, return_tensors="pt")
    with torch.no_grad():
        states = AutoModel.from_pretrained(tiny_bert).eval()(tokens["input_ids"]).last_hidden_state[0]
    expected = {"mean": states.mean(0), "cls": states[0], "last": states[-1]}[pooling]
    padded = encoder.encode(["a mass in the right upper lobe with no effusion", sentence])[1]
    assert np.allclose(padded, expected.numpy(), atol=2e-3)


def test_last_token_of_a_causal_decoder_is_not_padding(tiny_decoder: Path) -> None:
    encoder = FrozenTextEncoder(tiny_decoder)
    assert encoder.pooling == "last"
    alone = encoder.encode(["mass in lung"])[0]
    padded = encoder.encode(["a nodule in the left upper lobe of the lung with no effusion", "mass in lung"])[1]
    assert np.allclose(alone, padded, atol=2e-3)
    assert not np.allclose(alone, encoder.encode(["mass in lobe"])[0], atol=2e-2)


def test_fingerprint_is_the_same_at_each_load_and_changes_with_what_decides(tiny_bert: Path, tmp_path: Path) -> None:
    first = FrozenTextEncoder(tiny_bert).fingerprint
    assert len(first) == 16
    assert int(first, 16) >= 0
    moved = tmp_path / "elsewhere"
    shutil.copytree(tiny_bert, moved)
    assert FrozenTextEncoder(moved).fingerprint == first
    assert FrozenTextEncoder(tiny_bert, pooling="cls").fingerprint != first
    model = AutoModel.from_pretrained(moved, add_pooling_layer=False)
    with torch.no_grad():
        model.encoder.layer[1].output.dense.bias[0] += 0.5
    model.save_pretrained(moved)
    assert FrozenTextEncoder(moved).fingerprint != first


def test_text_processing_version_is_part_of_the_fingerprint(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = FrozenTextEncoder(tiny_bert).fingerprint
    monkeypatch.setattr("text_conditioning.encoders.TEXT_PROCESSING_VERSION", 99)
    assert FrozenTextEncoder(tiny_bert).fingerprint != first


def test_a_model_with_its_own_code_on_the_hub_is_loaded_without_that_code(tiny_bert: Path, tmp_path: Path) -> None:
    """CXR-BERT: own model type, a masked-language head, remote code in its settings, BERT weights below `bert.`."""
    folder = tmp_path / "cxr"
    shutil.copytree(tiny_bert, folder)
    torch.manual_seed(1)
    BertForMaskedLM(BertConfig.from_pretrained(tiny_bert)).save_pretrained(folder)
    settings = json.loads((folder / "config.json").read_text())
    settings |= {"model_type": "cxr-bert", "auto_map": {"AutoModel": "modeling_cxrbert.CXRBertModel"}}
    (folder / "config.json").write_text(json.dumps(settings))
    shutil.copy(Path(__file__), folder / "modeling_cxrbert.py")
    encoder, again = FrozenTextEncoder(folder, pooling="cls"), FrozenTextEncoder(folder, pooling="cls")
    assert encoder.fingerprint == again.fingerprint
    assert np.isfinite(encoder.encode(["a nodule"])).all()


def test_weights_that_are_incomplete_are_refused(tiny_bert: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(tiny_bert, folder)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"num_hidden_layers": 3}))
    with pytest.raises(EncoderError, match=r"layer\.2"):
        FrozenTextEncoder(folder)


def test_an_encoder_that_cannot_be_had_says_what_to_do() -> None:
    with pytest.raises(EncoderError, match=r"(?s)nobody/nothing.*offline"):
        FrozenTextEncoder("nobody/nothing")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=str(tmp_path)):
        FrozenTextEncoder(tmp_path)


def test_blank_sentences_and_senseless_options_are_refused(tiny_bert: Path) -> None:
    with pytest.raises(EncoderError, match="Sentence 1"):
        FrozenTextEncoder(tiny_bert).encode(["a nodule", " \n"])
    with pytest.raises(EncoderError, match="max"):
        FrozenTextEncoder(tiny_bert, pooling="max")  # type: ignore[arg-type]


def test_whitening_tells_left_from_right_where_the_encoder_hardly_does(minilm: FrozenTextEncoder) -> None:
    left, right = (minilm.encode([pair[i] for pair in TWINS]).astype(np.float32) for i in (0, 1))
    whitening = Whitening(minilm.dim)
    whitening.fit(np.concatenate([left, right, minilm.encode(OTHERS)]))
    before = cosine(left, right)
    after = cosine(*(whitening(torch.from_numpy(side)).numpy() for side in (left, right)))
    assert before.mean() > 0.95
    assert (1 - after > 10 * (1 - before)).all()


def test_the_side_can_be_read_from_the_vector_of_an_unseen_sentence(minilm: FrozenTextEncoder) -> None:
    left, right = (minilm.encode([pair[i] for pair in TWINS]).astype(np.float32) for i in (0, 1))
    seen = len(SITES) * (len(FINDINGS) - 1)
    x = np.concatenate([left[:seen], right[:seen]])
    y = np.repeat([1.0, -1.0], seen)
    centre = x.mean(0)
    weights = np.linalg.solve((x - centre).T @ (x - centre) + 1e-2 * np.eye(minilm.dim), (x - centre).T @ y)
    assert ((left[seen:] - centre) @ weights > 0).all()
    assert ((right[seen:] - centre) @ weights < 0).all()


DEVICES = ["gpu", "", "meta", "xla", "cuda:99", -1, *([] if torch.cuda.is_available() else ["cuda"])]


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_that_is_not_there_is_refused_by_name(device: str, tiny_bert: Path) -> None:
    with pytest.raises(EncoderError, match=rf"device '{device}' cannot be used.*'cpu'"):
        FrozenTextEncoder(tiny_bert, device=device)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-50])


def with_setting(**change: object) -> Callable[[Path], None]:
    return lambda file: (file.write_text(json.dumps(json.loads(file.read_text()) | change)), None)[1]


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("model.safetensors", cut),
        ("model.safetensors", lambda file: file.write_bytes(b"")),
        ("config.json", cut),
        ("config.json", lambda file: file.write_text("[]")),
        ("config.json", with_setting(num_attention_heads=0)),
        ("tokenizer.json", cut),
        ("tokenizer.json", lambda file: file.write_text("[]")),
    ],
)
def test_a_damaged_folder_is_refused_by_name(
    file: str, damage: Callable[[Path], None], tiny_bert: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "damaged")
    damage(folder / file)
    with pytest.raises(EncoderError, match="damaged"):
        FrozenTextEncoder(folder)


def test_a_folder_without_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"no config\.json"):
        FrozenTextEncoder(tmp_path)


def test_a_tokenizer_without_vocabulary_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    """transformers would take every word for unknown, and all sentences would get one vector."""
    folder = shutil.copytree(tiny_bert, tmp_path / "wordless")
    for file in folder.glob("*token*"):
        file.unlink()
    with pytest.raises(EncoderError, match=r"wordless.*no words"):
        FrozenTextEncoder(folder)
