"""Patients, scans, predictions, measurements, readings, comments, settings, and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from nerve_core.access import audit
from nerve_core.records.base import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID, HASH, WHO, WORD = sa.String(36), sa.String(64), sa.String(254), sa.String(24)
TIME = UtcDateTime(timezone=True)

KEPT = "A reading is never changed; a new one supersedes it."

SQLITE = f"CREATE TRIGGER review_kept BEFORE UPDATE ON review BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
POSTGRESQL = (
    f"CREATE FUNCTION review_kept() RETURNS trigger LANGUAGE plpgsql AS $$ "
    f"BEGIN RAISE EXCEPTION '{KEPT}'; END $$",
    "CREATE TRIGGER review_kept BEFORE UPDATE ON review FOR EACH ROW EXECUTE FUNCTION review_kept()",
)


def column(name: str, kind: sa.types.TypeEngine, null: bool = False) -> sa.Column:
    """A column that must hold a value unless told otherwise."""
    return sa.Column(name, kind, nullable=null)


def refers(table: str, name: str, to: str, cascade: bool = True) -> sa.ForeignKeyConstraint:
    """A reference to another table; its row's end is this row's end, too, unless told otherwise."""
    return sa.ForeignKeyConstraint(
        [name], [to], name=f"fk_{table}_{name}", ondelete="CASCADE" if cascade else None
    )


def key(table: str, name: str = "id") -> sa.PrimaryKeyConstraint:
    """The primary key of a table."""
    return sa.PrimaryKeyConstraint(name, name=f"pk_{table}")


def unique(table: str, *names: str) -> sa.UniqueConstraint:
    """No two rows alike in these columns."""
    return sa.UniqueConstraint(*names, name=f"uq_{table}_{'_'.join(names)}")


def index(table: str, *names: str) -> None:
    """An index, a single column each."""
    for name in names:
        op.create_index(f"ix_{table}_{name}", table, [name])


def upgrade() -> None:
    op.create_table(
        "patient",
        column("id", ID),
        column("pseudonym", sa.String(64)),
        column("created", TIME),
        key("patient"),
        unique("patient", "pseudonym"),
    )
    op.create_table(
        "visit",
        column("id", ID),
        column("patient_id", ID),
        column("date", sa.Date()),
        key("visit"),
        refers("visit", "patient_id", "patient.id"),
        unique("visit", "patient_id", "date"),
    )
    index("visit", "date")
    op.create_table(
        "file",
        column("sha256", HASH),
        column("size", sa.Integer()),
        column("extension", sa.String(8)),
        column("doomed", sa.Boolean()),
        column("created", TIME),
        key("file", "sha256"),
    )
    index("file", "doomed")
    _scans()
    _said()
    op.create_table(
        "comment",
        column("id", ID),
        column("patient_id", ID),
        column("scan_id", ID, null=True),
        column("author", WHO),
        column("text", sa.Text()),
        column("made", TIME),
        key("comment"),
        refers("comment", "patient_id", "patient.id"),
        refers("comment", "scan_id", "scan.id"),
    )
    index("comment", "patient_id", "scan_id")
    op.create_table(
        "handout",
        column("id", ID),
        column("patient_id", ID),
        column("kind", sa.String(16)),
        column("made", TIME),
        column("made_by", WHO),
        key("handout"),
        refers("handout", "patient_id", "patient.id"),
    )
    index("handout", "patient_id")
    op.create_table(
        "setting", column("name", sa.String(40)), column("value", sa.JSON()), key("setting", "name")
    )

    audit.install(op.get_bind())


def _scans() -> None:
    op.create_table(
        "scan",
        column("id", ID),
        column("patient_id", ID),
        column("visit_id", ID),
        column("sha256", HASH),
        column("source_sha256", HASH),
        *(column(name, sa.Integer()) for name in ("frame", "height", "width")),
        *(column(name, sa.String(80)) for name in ("nerve", "site")),
        column("side", sa.String(8)),
        *(column(name, sa.Double(), null=True) for name in ("spacing_row", "spacing_column")),
        column("saved", TIME),
        column("saved_by", WHO),
        column("day", sa.Date()),
        column("verdict", WORD, null=True),
        *(column(name, sa.Double(), null=True) for name in ("p_affected", "area_mm2")),
        column("urgency", sa.Double()),
        column("reasons", sa.JSON()),
        column("reviewed", sa.Boolean()),
        column("reading", WORD, null=True),
        key("scan"),
        refers("scan", "patient_id", "patient.id"),
        refers("scan", "visit_id", "visit.id"),
        refers("scan", "sha256", "file.sha256", cascade=False),
        unique("scan", "patient_id", "source_sha256", "frame"),
        sa.CheckConstraint("frame >= 0 AND height > 0 AND width > 0", name=op.f("ck_scan_geometry")),
    )
    index("scan", "patient_id", "visit_id", "sha256", "day")
    filters = ["day", "nerve", "site", "side", "verdict", "patient_id"]
    newest = [sa.text("saved DESC"), "id"]
    op.create_index("ix_scan_urgent", "scan", ["reviewed", sa.text("urgency DESC"), *newest, *filters])
    op.create_index("ix_scan_newest", "scan", [*newest, "reviewed", "urgency", *filters])
    op.create_index("ix_scan_nerve_site", "scan", ["nerve", "site"])


def _said() -> None:
    op.create_table(
        "model_config", column("sha256", HASH), column("config", sa.JSON()), key("model_config", "sha256")
    )
    op.create_table(
        "prediction",
        column("id", ID),
        column("scan_id", ID),
        column("digest", HASH),
        column("model", sa.String(120)),
        column("version", sa.String(40)),
        column("config_sha256", HASH, null=True),
        column("verdict", WORD),
        column("p_affected", sa.Double(), null=True),
        *(column(name, sa.Text(), null=True) for name in ("reason", "beyond")),
        column("click", sa.JSON(), null=True),
        column("nerves", sa.JSON()),
        column("made", TIME),
        column("made_by", WHO),
        key("prediction"),
        refers("prediction", "scan_id", "scan.id"),
        refers("prediction", "config_sha256", "model_config.sha256", cascade=False),
        unique("prediction", "scan_id", "digest"),
    )
    index("prediction", "scan_id")
    op.create_table(
        "review",
        column("id", ID),
        column("scan_id", ID),
        column("prediction_id", ID, null=True),
        column("reviewer", WHO),
        *(column(name, sa.Boolean()) for name in ("second", "blinded")),
        column("agrees", sa.Boolean(), null=True),
        column("reading", WORD),
        column("contours", sa.JSON()),
        column("corrected", sa.Boolean()),
        column("comment", sa.Text()),
        column("supersedes", ID, null=True),
        column("made", TIME),
        key("review"),
        refers("review", "scan_id", "scan.id"),
        refers("review", "prediction_id", "prediction.id"),
        refers("review", "supersedes", "review.id"),
        unique("review", "supersedes"),
    )
    index("review", "scan_id", "prediction_id")
    op.create_index("ix_review_reviewer_scan_id", "review", ["reviewer", "scan_id"])
    for line in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else (SQLITE,):
        op.execute(line)
    sizes = ("area", "perimeter", "equivalent_diameter", "width", "height", "flattening", "circularity")
    op.create_table(
        "measurement",
        column("id", ID),
        column("scan_id", ID),
        *(column(name, ID, null=True) for name in ("prediction_id", "review_id")),
        column("number", sa.Integer()),
        column("unit", sa.String(2)),
        *(column(name, sa.Double(), null=name == "flattening") for name in (*sizes, "depth", "echo")),
        column("hypoechoic", sa.JSON()),
        key("measurement"),
        refers("measurement", "scan_id", "scan.id"),
        refers("measurement", "prediction_id", "prediction.id"),
        refers("measurement", "review_id", "review.id"),
        unique("measurement", "prediction_id", "number"),
        unique("measurement", "review_id", "number"),
        sa.CheckConstraint(
            "(prediction_id IS NULL) <> (review_id IS NULL)", name=op.f("ck_measurement_one_source")
        ),
    )
    index("measurement", "scan_id")
    op.create_table(
        "reading_request",
        column("id", ID),
        column("scan_id", ID),
        *(column(name, WHO) for name in ("asked_by", "colleague")),
        column("blinded", sa.Boolean()),
        column("review_id", ID, null=True),
        column("made", TIME),
        key("reading_request"),
        refers("reading_request", "scan_id", "scan.id"),
        refers("reading_request", "review_id", "review.id"),
        unique("reading_request", "scan_id", "colleague"),
    )
    index("reading_request", "colleague", "review_id")


def downgrade() -> None:
    raise NotImplementedError("The first tables are not taken back: that would erase every patient.")
