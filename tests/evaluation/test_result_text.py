from nerve_core.evaluation.result_text import all_tables, comma_separated, latex, markdown
from nerve_core.evaluation.results import ResultsStore, Run
from tests.evaluation.test_results import NONE, scored

COLUMNS = ("method", "n", "dice", "dice_ci95", "ms", "p_best")
LINES = [
    {"method": "a_b", "n": 1200, "dice": 0.5, "dice_ci95": [0.4, 0.6], "ms": 12.34, "p_best": None},
    {"method": "100% & more", "n": 3, "dice": None, "dice_ci95": None, "ms": 1.0, "p_best": 0.0001},
]


def test_markdown():
    lines = markdown(COLUMNS, LINES).splitlines()
    assert lines[0] == "| method | n | dice | 95 % CI | ms a scan | p against the best |"
    assert lines[2] == "| a_b | 1 200 | 0.500 | 0.400–0.600 | 12.3 | – |"
    assert lines[3] == "| 100% & more | 3 | – | – | 1.0 | < 0.001 |"


def test_csv_keeps_every_digit():
    assert comma_separated(COLUMNS, LINES).splitlines() == [
        "method,n,dice,dice_ci95_low,dice_ci95_high,ms,p_best",
        "a_b,1200,0.5,0.4,0.6,12.34,",
        "100% & more,3,,,,1.0,0.0001",
    ]


def test_latex_escapes_what_it_must():
    text = latex(COLUMNS, LINES)
    assert "a\\_b & 1 200 & 0.500 & 0.400--0.600" in text
    assert "100\\% \\& more" in text and "$<$ 0.001" in text


def test_tables_of_a_store(tmp_path):
    store = ResultsStore(tmp_path / "results.sqlite")
    store.add(Run("otsu", "usgra"), [scored("a.png", "1"), scored("b.png", "2")])
    store.add(Run("unet", "usgra", setup="64 px"), [scored("a.png", "1", NONE)])
    store.add(Run("unet", "usgra", setup="96 px"), [scored("a.png", "1")])
    tables = all_tables(store)
    assert set(tables) == {"contours"}  # nothing was clicked, nothing judged
    names = {line["method"] for line in tables["contours"][1]}
    assert names == {"otsu", "unet (64 px)", "unet (96 px)"}


def test_an_empty_store_has_no_tables(tmp_path):
    assert all_tables(ResultsStore(tmp_path / "results.sqlite")) == {}
