"""A search finds the better setting, cuts poor trials short and goes on where it stopped."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import lightning as L
import optuna
import pytest

from nerve_core.commands import search as command
from nerve_core.errors import DataError
from nerve_core.training import run
from nerve_core.training import search as module
from nerve_core.training.config import Stage, TrainConfig
from nerve_core.training.search import best_score, search, write_config
from nerve_core.training.search_space import changed, read_space

SMALL = TrainConfig(
    name="small", size=64, final_size=64, workers=0, contour=Stage(epochs=2, samples=8, batch=4)
)
RATE = {"contour.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}
LOSSES = {"loss": ["dice+bce", "tversky"], "vessel_weight": [0.0, 0.4, 0.8]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(run, "CACHE", tmp_path / "cache")
    return tmp_path


@pytest.fixture
def trained(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """Trainings whose figure is 1 at the learning rate 0.01 and falls with the distance from it."""
    seen: list[TrainConfig] = []
    values: dict[Path, float] = {}

    def fake(
        _: object, config: TrainConfig, folder: Path, resume: bool, callbacks: Sequence[L.Callback]
    ) -> None:
        assert resume
        seen.append(config)
        value = 1 - abs(config.contour.learning_rate - 0.01) - 0.1 * (config.loss == "tversky")
        values[folder / "contour"] = value - config.vessel_weight / 100
        (trial,) = (callback.trial for callback in callbacks)
        for epoch in range(3):
            trial.report(value, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

    monkeypatch.setitem(module.PARTS, "contour", fake)
    monkeypatch.setattr(module, "best_score", values.__getitem__)
    monkeypatch.setattr(module, "training_rows", lambda *_: [{"set": "a"}])
    return seen


def test_the_better_rate_is_found_and_poor_trials_are_cut_short(
    home: Path, trained: list[TrainConfig]
) -> None:
    lines: list[str] = []
    found = search([], SMALL, RATE, home / "s.sqlite", trials=25, report=lines.append)
    assert found.config.contour.learning_rate == pytest.approx(0.01, abs=0.01)
    assert found.config == changed(SMALL, found.settings) and found.trials == len(trained) == 25
    assert any("cut short" in line for line in lines)


def test_a_grid_is_trained_once_and_its_weightiest_setting_named(
    home: Path, trained: list[TrainConfig]
) -> None:
    study = home / "s.sqlite"
    found = search([], SMALL, LOSSES, study, sampler="grid", trials=99)
    assert found.settings == {"loss": "dice+bce", "vessel_weight": 0.0} and len(trained) == found.trials <= 6
    assert len({(one.loss, one.vessel_weight) for one in trained}) == 6
    assert sum(found.importance.values()) == pytest.approx(1)


def test_a_study_goes_on_and_keeps_to_its_number_of_trials(home: Path, trained: list[TrainConfig]) -> None:
    study = home / "s.sqlite"
    search([], SMALL, RATE, study, trials=3)
    assert search([], SMALL, RATE, study, trials=5).trials == 5 == len(trained)
    assert search([], SMALL, RATE, study, trials=5).trials == 5 == len(trained)


def test_an_interrupted_trial_is_trained_again(
    home: Path, trained: list[TrainConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = module.PARTS["contour"]

    def killed(_: object, config: TrainConfig, *__: object, **___: object) -> None:
        trained.append(config)
        raise KeyboardInterrupt

    monkeypatch.setitem(module.PARTS, "contour", killed)
    with pytest.raises(KeyboardInterrupt):
        search([], SMALL, RATE, home / "s.sqlite", trials=1)
    monkeypatch.setitem(module.PARTS, "contour", whole)
    assert search([], SMALL, RATE, home / "s.sqlite", trials=1).trials == 1
    assert len(trained) == 2 and trained[0] == trained[1]
    assert search([], SMALL, RATE, home / "s.sqlite", trials=2).trials == 2
    assert trained[2] != trained[0]  # taken up once


def test_another_search_does_not_go_on_with_a_study(home: Path, trained: list[TrainConfig]) -> None:
    study = home / "s.sqlite"
    search([], SMALL, RATE, study, trials=1)
    with pytest.raises(DataError, match="another search"):
        search([], SMALL, LOSSES, study, trials=2)
    with pytest.raises(DataError, match="another search"):
        search([], replace(SMALL, seed=1), RATE, study, trials=2)
    assert len(trained) == 1


def test_a_file_that_is_no_study_is_left_alone(home: Path, trained: list[TrainConfig]) -> None:
    (home / "s.sqlite").write_text("my notes, not a database, and long enough to be one" * 20)
    with pytest.raises(DataError, match="cannot be used as a study"):
        search([], SMALL, RATE, home / "s.sqlite")
    assert (home / "s.sqlite").read_text().startswith("my notes")


def test_a_grid_needs_lists(home: Path, trained: list[TrainConfig]) -> None:
    with pytest.raises(DataError, match="needs a list"):
        search([], SMALL, RATE, home / "s.sqlite", sampler="grid")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ('{"contour.speed": [1, 2]}', "no setting 'contour.speed'"),
        ('{"name.x": [1, 2]}', "no setting 'name.x'"),
        ('{"loss": ["dice+bce", "wish"]}', "loss must be one of"),
        ('{"loss": []}', "must be a list"),
        ('{"vessel_weight": {"low": 2, "high": 1}}', "must be a list"),
        ('{"vessel_weight": {"low": 0, "high": 1, "log": true}}', "must be a list"),
        ('{"vessel_weight": {"low": -1, "high": 1}}', "vessel_weight must be from 0"),
    ],
)
def test_a_space_that_does_not_fit_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "space.json").write_text(text)
    with pytest.raises(DataError, match=said):
        read_space(tmp_path / "space.json", SMALL)
    with pytest.raises(DataError, match="cannot be read"):
        read_space(tmp_path / "none.json", SMALL)


def test_settings_written_are_settings_read(tmp_path: Path) -> None:
    config = changed(SMALL, {"augment.rotate": 40.0, "loss": "tversky", "contour.batch": 2})
    write_config(config, tmp_path / "out" / "best.json")
    assert TrainConfig.from_file(tmp_path / "out" / "best.json") == config
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["best.json"]


def test_from_manifest_to_the_best_settings(
    home: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real trainings, through the command."""
    (home / "space.json").write_text(json.dumps({"loss": ["dice+bce", "tversky"]}))
    write_config(SMALL, home / "base.json")
    parser = command.argparse.ArgumentParser()
    command.add_arguments(parser)
    paths = {name: str(home / name) for name in ("space.json", "base.json", "s.sqlite", "best.json")}
    args = f"--manifest {manifest} --space {paths['space.json']} --config {paths['base.json']} --sampler grid"
    args += f" --study {paths['s.sqlite']} --out {paths['best.json']}"
    assert command.run(parser.parse_args(args.split())) == 0
    assert "Best of 2 trials on the validation groups" in capsys.readouterr().out
    assert TrainConfig.from_file(home / "best.json").loss in ("dice+bce", "tversky")
    assert not list((home / "runs").glob("*/*/contour"))  # what was trained briefly is not kept


def test_the_best_figure_of_a_training(home: Path, manifest: Path) -> None:
    rows = run.training_rows([manifest], "any", ())
    run.train_contours(rows, SMALL, home / "one", resume=False)
    with next((home / "one").glob("**/metrics.csv")).open() as file:
        names = file.readline().strip().split(",")
        figures = [line.split(",")[names.index("val/dice")] for line in file]
    assert best_score(home / "one" / "contour") == pytest.approx(
        max(float(each) for each in figures if each), abs=1e-4
    )
