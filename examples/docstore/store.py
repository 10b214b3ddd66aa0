"""Tables, and the data that both services start with."""

from __future__ import annotations

import tempfile

from sqlalchemy import Engine, ForeignKey, UniqueConstraint, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    """All tables."""


class Tenant(Base):
    """A customer."""

    __tablename__ = "tenants"
    name: Mapped[str] = mapped_column(primary_key=True)
    max_projects: Mapped[int] = mapped_column(default=100)
    rate: Mapped[str] = mapped_column(default="1000/minute")


class APIKey(Base):
    """A secret by which a tenant's programs are known."""

    __tablename__ = "api_keys"
    key: Mapped[str] = mapped_column(primary_key=True)
    tenant_name: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    read_only: Mapped[bool] = mapped_column(default=False)
    tenant: Mapped[Tenant] = relationship()


class Project(Base):
    """A tenant's folder of documents."""

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("tenant", "slug"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    slug: Mapped[str]
    name: Mapped[str]
    documents: Mapped[list[Document]] = relationship(back_populates="project", order_by="Document.id")


class Document(Base):
    """A text. Its state is draft, published, locked, withheld or deleted."""

    __tablename__ = "documents"
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    title: Mapped[str]
    text: Mapped[bytes]
    state: Mapped[str] = mapped_column(default="draft")
    version: Mapped[int] = mapped_column(default=1)
    project: Mapped[Project] = relationship(back_populates="documents")


SCRATCH: list[tempfile.TemporaryDirectory[str]] = []
"""Directories of databases that last as long as the process."""


def open_database(url: str | None = None) -> Engine:
    """An engine on a database with the sample data; without a URL on one of this process's own."""
    if url is None:
        SCRATCH.append(tempfile.TemporaryDirectory(prefix="docstore-"))
        url = f"sqlite:///{SCRATCH[-1].name}/docstore.db"
    engine = create_engine(url, hide_parameters=True)  # they would be in the log
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        if session.get(Tenant, "acme") is None:
            session.add_all(_sample())
            session.commit()
    return engine


def _sample() -> list[Base]:
    return [
        Tenant(name="acme"),
        Tenant(name="globex"),
        Tenant(name="hooli", max_projects=1),
        Tenant(name="initech", rate="3/minute"),
        APIKey(key="acme-key", tenant_name="acme"),
        APIKey(key="acme-read-key", tenant_name="acme", read_only=True),
        APIKey(key="globex-key", tenant_name="globex"),
        APIKey(key="hooli-key", tenant_name="hooli"),
        APIKey(key="initech-key", tenant_name="initech"),
        Project(
            tenant="acme",
            slug="handbook",
            name="Handbook",
            documents=[
                Document(id=1, title="Welcome", text=b"Good morning.\nHave a seat.\n"),
                Document(id=2, title="Holidays", text=b"Thirty days.\n", state="published"),
                Document(id=3, title="Payroll", text=b"Last Friday.\n", state="locked"),
                Document(id=4, title="Lawsuit", text=b"Sealed.\n", state="withheld"),
                Document(id=5, title="Obsolete", text=b"", state="deleted"),
                Document(id=6, title="Scanned", text=b"The first page.\nThe second page.\nA torn p\xe2ge.\n"),
            ],
        ),
        Project(tenant="acme", slug="empty", name="Nothing yet"),
        Project(
            tenant="globex",
            slug="plans",
            name="Plans",
            documents=[Document(id=7, title="Merger", text=b"Tell nobody.\n")],
        ),
        Project(tenant="hooli", slug="only", name="The only one"),
    ]
