"""The network of the variant "token_keys" sees token states and nothing else: in training, validation, prediction."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from following.errors import BenchmarkError
from following.predict import load_predictor
from following.prepare import embed, prepare
from following.runs import TRAINERS, RunSpec, launch
from following.settings import Settings
from following.tasks import phantom_tasks
from following.token_states import SEPARATOR, TOKEN_STATES, TokenStatesEncoder, expand, token_ids
from following.variants import MINILM, VARIANTS
from nnunet_reportseg.case_reports import CaseReport, read_case_report, read_case_reports
from nnunet_reportseg.conditioning import SENTENCE_STEP
from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.embedding import ENCODER_VARIABLE, sentences_of
from nnunet_reportseg.geometry import PatientAxes
from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet
from nnunet_reportseg.report_twins import with_twins
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from nnunet_reportseg.trainer_folder import SEARCH_PATH, trainer_search_path
from tests.small_dataset import write_sidecar
from tests.spy_trainer import make_trainer, set_environment
from tests.spy_workspace import CASES, DATASET, SHAPE, bank_sentences, sentence, write_workspace
from text_conditioning.bank import EmbeddingBank, build_bank
from text_conditioning.registry import resolve

TRAINER = VARIANTS["token_keys"].trainer
TEXT = "No effusion. A 7 mm nodule in the left costophrenic recess. Heart normal."
FINDING = "A 7 mm nodule in the left costophrenic recess."


def tiny_phantom(root):
    return write_phantom(root, dataset_id=514, num_training=2, num_test_volumes=1, shape=(16, 40, 60), task="negation")


@pytest.fixture
def report(tmp_path):
    findings = [{"id": "1", "text": FINDING, "label_values": [1]}]
    file = write_sidecar(tmp_path / "reports.json", {"case": {"report": TEXT, "findings": findings}})
    return read_case_report(Sidecar.load(file), "case")


def test_tokens_keep_the_tags_and_the_finding_of_their_sentence(report):
    counts = [len(token_ids(said.text)) for said in report.sentences]
    tokens = expand(report)
    assert len(tokens.sentences) == sum(counts) > len(report.sentences)
    assert tokens.findings[0].sentences == tuple(range(counts[0], counts[0] + counts[1]))
    assert tokens.findings[0].label_values == (1,)
    place = 0
    for said, count in zip(report.sentences, counts, strict=True):
        for number, token in enumerate(tokens.sentences[place : place + count]):
            assert token.text == f"{said.text}{SEPARATOR}{number}"
            assert (token.assertion, token.laterality, token.section) == (said.assertion, said.laterality, said.section)
        place += count


def test_no_report_stays_none_and_a_finding_that_was_left_out_stays_without_sentences(report):
    assert expand(CaseReport("case")) == CaseReport("case")
    assert expand(report.part([False])).findings[0].sentences == ()


def test_a_token_has_the_last_hidden_state_at_its_place():
    folder = resolve(MINILM)[0]
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        states = model(**tokenizer(FINDING, return_tensors="pt")).last_hidden_state[0].numpy()
    count = len(states) - 2  # without [CLS] and [SEP]
    assert len(token_ids(FINDING)) == count
    order = [3, *range(count)]
    encoder = TokenStatesEncoder()
    vectors = encoder.encode([FINDING, *(f"{FINDING}{SEPARATOR}{number}" for number in order)])
    np.testing.assert_allclose(vectors[1:], states[1:-1][order], atol=2e-3)
    np.testing.assert_allclose(vectors[0], states.mean(axis=0), atol=2e-3)
    with pytest.raises(IndexError):
        encoder.encode([f"{FINDING}{SEPARATOR}{count}"])


def test_a_bank_on_demand_has_all_sentences_and_their_tokens_and_leaves_the_others_alone(tmp_path):
    raw = tiny_phantom(tmp_path / "raw")
    folder = tmp_path / "bank"
    embed(raw, folder, [MINILM])
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    embed(raw, folder, [MINILM, TOKEN_STATES])
    assert {index.encoder for index in EmbeddingBank.available(folder)} == {MINILM, TOKEN_STATES}
    assert {file: file.stat().st_mtime_ns for file in before} == before
    (index,) = (index for index in EmbeddingBank.available(folder) if index.encoder == TOKEN_STATES)
    bank = EmbeddingBank.open(folder, index.fingerprint)
    for name in (SIDECAR_NAME, f"imagesTs/{SIDECAR_NAME}", "reportsTs/long.json"):
        sidecar = Sidecar.load(raw / name)
        reports = with_twins(read_case_reports(sidecar, list(sidecar.case_ids)).values(), training=True)
        assert bank.missing(sentences_of([*reports, *map(expand, reports)])) == []


@pytest.fixture(scope="module")
def token_root(tmp_path_factory):
    """The spy workspace with a bank of token states."""
    root = tmp_path_factory.mktemp("token_spy")
    write_workspace(root)
    said = bank_sentences(sentence(number) for number in range(2 * CASES))
    tokens = [token for text in said for token in tokens_of_text(text)]
    build_bank(root / "preprocessed" / DATASET / "report_embeddings", TokenStatesEncoder(), [*said, *tokens])
    return root


@pytest.fixture
def token_env(token_root, monkeypatch):
    set_environment(monkeypatch, token_root)
    monkeypatch.setenv(SEARCH_PATH, trainer_search_path(str(TRAINERS)))
    monkeypatch.setenv(ENCODER_VARIABLE, TOKEN_STATES)
    return token_root


def tokens_of_text(text):
    return [f"{text}{SEPARATOR}{number}" for number in range(len(token_ids(text)))]


class SeenVectors:
    """Records the vectors that networks are given, without padding."""

    def __init__(self, monkeypatch):
        self.rows = []
        original = ReportGuidedUNet.set_report

        def set_report(network, report, **options):
            pairs = zip(report.vectors, report.padding, strict=True)
            self.rows += [vectors[~padding].numpy() for vectors, padding in pairs]
            original(network, report, **options)

        monkeypatch.setattr(ReportGuidedUNet, "set_report", set_report)

    def take(self):
        rows, self.rows = self.rows, []
        return rows


def test_the_network_sees_tokens_in_training_validation_and_prediction(token_env, monkeypatch):
    seen = SeenVectors(monkeypatch)
    trainer = make_trainer("all", name=TRAINER)
    trainer.initialize()
    bank = trainer.reports.bank
    every = {row.tobytes() for text in bank_sentences(map(sentence, range(2 * CASES))) for row in states(bank, text)}

    known = states(bank, *(sentence(number) for number in range(2 * CASES)))
    torch.testing.assert_close(trainer._network.report_adapter.whitening.mean, torch.from_numpy(known.mean(axis=0)))
    longest = max(len(expand(report).sentences) for report in trainer.reports.cases.values())
    assert longest <= trainer.conditioning.sentences < longest + SENTENCE_STEP  # every sentence belongs to a finding

    trainer.num_iterations_per_epoch = trainer.num_val_iterations_per_epoch = 2
    trainer.run_training()
    rows = seen.take()
    assert len(rows) == (2 + 2) * 2
    assert {vector.tobytes() for row in rows for vector in row} <= every
    assert any(len(row) for row in rows)

    trainer.perform_actual_validation()
    expected = [whole_report(bank, number) for number in range(CASES)]
    for row, report in zip(seen.take(), expected, strict=True):
        np.testing.assert_array_equal(row, report)

    model = token_env / "results" / DATASET / f"{TRAINER}__nnUNetPlans__3d_fullres"
    predictor = load_predictor(
        model, torch.device("cpu"), variant=VARIANTS["token_keys"], step_size=1.0, mirroring=False
    )
    reports = [trainer.reports.cases["case_002"], CaseReport("case_002")]
    axes = PatientAxes((2, 1, 0), (1, 1, 1))
    with_report, without = predictor.predict_reports(torch.zeros(4, *SHAPE), reports, bank, axes)
    assert with_report.shape == without.shape == (1, *SHAPE)
    (no_tokens, tokens) = sorted(seen.take(), key=len)
    np.testing.assert_array_equal(tokens, expected[2])
    assert len(no_tokens) == 0


def states(bank, *texts):
    return bank.vectors([token for text in texts for token in tokens_of_text(text)])


def whole_report(bank, number):
    return states(bank, sentence(number), sentence(number + CASES))


def test_the_trainer_refuses_folds(token_env):
    with pytest.raises(BenchmarkError, match="trains on all cases"):
        make_trainer(0, name=TRAINER).initialize()


@pytest.mark.slow
def test_the_variant_runs_in_a_process_of_its_own(tmp_path, monkeypatch):
    work = tmp_path / "nnunet"
    for name in ("raw", "preprocessed", "results"):
        (work / name).mkdir(parents=True)
    set_environment(monkeypatch, work)
    monkeypatch.setenv("nnUNet_n_proc_DA", "1")  # the planner has no use for 0
    settings = Settings(iterations=10, batch_size=2, step_size=1.0)
    task = replace(phantom_tasks(settings)["negation"], write=tiny_phantom)
    dataset = prepare(task, settings, 1, [TOKEN_STATES]).name
    spec = RunSpec(task.name, dataset, task.attributes, "token_keys", 0, settings, tmp_path / "out")
    spec.result_file.parent.mkdir(parents=True)
    log = tmp_path / "run.log"
    assert launch(spec, log, module="following.one_run", encoder=TOKEN_STATES) == 0, log.read_text()
    rows = json.loads(spec.result_file.read_text())["rows"]
    assert {"correct", "long", "null_all_lesions"} <= {row["condition"] for row in rows}
    (plans,) = (work / "results").glob(f"*/{TRAINER}__*/plans.json")
    assert json.loads(plans.read_text())["report_conditioning"]["encoder"] == TOKEN_STATES
