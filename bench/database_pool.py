"""The engine's pool of connections beside a connection for each operation, on Postgres and on SQLite, with 1 to 32 threads at work.

An operation is one transaction: a row read by its key, or a row inserted. Four ways to do it: with the engine's pool as it is by default
(5 + 2 connections, each tested before it is used, times recorded) and with its preset for throughput (10 + 20); with a connection opened
by the engine's own settings for each operation (SQLAlchemy's NullPool); and with the bare driver, a connection for each operation, nothing
else. Both servers keep what is committed. Threads, clients and server share the machine's cores.

Waiting is the time from asking for a connection to having it: from the pool, on SQLite with its turn to write, or opened. With
`--seconds` each cell is shorter, for a try.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psycopg
import sqlalchemy
from sqlalchemy import Column, Integer, MetaData, String, Table, event, select
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateSchema

from tradingbot_contract.document import BotIdentity
from tradingbot_contract.metrics import POOL_WAIT_TIME, Instrument
from tradingbot_contract.resources import Pool, PoolPreset, Retry
from tradingbot_engine.database.address import DatabaseAddress, parse_database_address
from tradingbot_engine.database.connections import Database

# The tests' servers are also the measurements'; they are no installed package.
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / folder) for folder in ("servers", "cluster")]

from postgres_server import PostgresServer  # noqa: E402 - found by the line above

WORKERS: Final = (1, 2, 4, 8, 16, 32)
SECONDS: Final = 1.0
ROWS: Final = 1000
BOT: Final = BotIdentity(namespace="bench", name="pool", uid="bench")
ORDERS: Final = Table("orders", MetaData(), Column("id", Integer, primary_key=True), Column("note", String, nullable=False))
READ: Final = "read"
WRITE: Final = "write"
POOLED: Final = "pool standard"
THROUGHPUT: Final = "pool throughput"
NULL_POOL: Final = "connection per operation"
DRIVER: Final = "connection per operation, bare driver"

Operate = Callable[[str, int], float | None]
"""Carries out one operation with a key; returns the seconds until it had a connection, None if somebody else records them."""
Figures = dict[str, Any]


class Waits:
    """Takes the times that a pool records of how long was waited for it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def record(self, instrument: Instrument, value: float, _attributes: Mapping[str, str] = {}, /) -> None:
        if instrument is POOL_WAIT_TIME:
            self.seconds.append(value)


def carry_out(connection: Connection, kind: str, key: int) -> None:
    if kind == READ:
        connection.execute(select(ORDERS.c.note).where(ORDERS.c.id == key % ROWS)).scalar_one()
    else:
        connection.execute(ORDERS.insert(), {"id": key, "note": "a row as long as an order's"})


def pooled(database: Database) -> Operate:
    def operate(kind: str, key: int) -> None:
        run = database.run_reading if kind == READ else database.run_writing
        run(lambda connection: carry_out(connection, kind, key))

    return operate


def null_pooled(database: Database) -> Operate:
    adapter = database.adapter
    engine = sqlalchemy.create_engine(database.address.url, poolclass=NullPool, **adapter.engine_options())
    event.listen(engine, "do_connect", lambda *known: adapter.open(known[-1], connections=1))

    def operate(kind: str, key: int) -> float:
        asked_at = time.perf_counter()
        with engine.connect() as connection:
            waited = time.perf_counter() - asked_at
            with connection.begin():
                connection.exec_driver_sql(adapter.begin_reading if kind == READ else adapter.begin_writing)
                carry_out(connection, kind, key)
        return waited

    return operate


def bare_postgres(address: DatabaseAddress) -> Operate:
    url = address.url.set(drivername="postgresql").render_as_string(hide_password=False)
    table = f'"{address.schema}".orders'

    def operate(kind: str, key: int) -> float:
        asked_at = time.perf_counter()
        with psycopg.connect(url) as connection:
            waited = time.perf_counter() - asked_at
            if kind == READ:
                connection.execute(f"SELECT note FROM {table} WHERE id = %s", [key % ROWS]).fetchone()  # noqa: S608 - a name from here
            else:
                connection.execute(f"INSERT INTO {table} VALUES (%s, %s)", [key, "a row as long as an order's"])  # noqa: S608 - the same
        return waited

    return operate


def bare_sqlite(address: DatabaseAddress) -> Operate:
    assert address.file is not None
    path = address.file

    def operate(kind: str, key: int) -> float:
        asked_at = time.perf_counter()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=60.0)) as connection:
            waited = time.perf_counter() - asked_at
            if kind == READ:
                connection.execute("SELECT note FROM orders WHERE id = ?", [key % ROWS]).fetchone()
            else:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO orders VALUES (?, ?)", [key, "a row as long as an order's"])
                connection.execute("COMMIT")
        return waited

    return operate


def measure(operate: Operate, recorded: Waits, *, kind: str, workers: int, seconds: float, keys: Iterator[int]) -> Figures:
    """Let so many threads do one operation after the other for so long."""
    recorded.seconds.clear()
    together = threading.Barrier(workers + 1)
    ended = threading.Event()
    waits: list[float] = []
    durations: list[float] = []
    failures: list[str] = []

    def work() -> None:
        together.wait()
        while not ended.is_set():
            key = next(keys)  # the interpreter's lock makes this one step
            began_at = time.perf_counter()
            try:
                waited = operate(kind, key)
            except (sqlalchemy.exc.SQLAlchemyError, psycopg.Error, sqlite3.Error) as error:
                failures.append(type(error).__name__)
                continue
            durations.append(time.perf_counter() - began_at)
            if waited is not None:
                waits.append(waited)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    together.wait()
    began_at = time.perf_counter()
    ended.wait(seconds)
    ended.set()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began_at
    return {
        "operations_per_second": round(len(durations) / took),
        "wait_p99_ms": percentile_ms(waits or recorded.seconds, 99),
        "operation_p50_ms": percentile_ms(durations, 50),
        "operation_p99_ms": percentile_ms(durations, 99),
        "failed": len(failures),
    }


def percentile_ms(seconds: list[float], percent: int) -> float | None:
    if len(seconds) < 2:
        return None
    return round(statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000, 3)


def make_rows(database: Database) -> None:
    with database.writing() as connection:
        if database.address.schema is not None:
            connection.execute(CreateSchema(database.address.schema))
        ORDERS.metadata.create_all(connection)
        connection.execute(ORDERS.insert(), [{"id": number, "note": "a row as long as an order's"} for number in range(ROWS)])


def compare(address: DatabaseAddress, bare: Operate, seconds: float) -> dict[str, dict[str, dict[int, Figures]]]:
    """Return the figures of one database by kind of operation, way and number of threads; the ways take turns."""
    waits = Waits()
    pools = {POOLED: Pool(), THROUGHPUT: Pool(preset=PoolPreset.THROUGHPUT)}
    databases = {way: Database(address, pool, Retry(), waits.record) for way, pool in pools.items()}
    make_rows(databases[POOLED])
    ways = {way: pooled(database) for way, database in databases.items()}
    ways |= {NULL_POOL: null_pooled(databases[POOLED]), DRIVER: bare}
    keys = itertools.count(ROWS)
    found: dict[str, dict[str, dict[int, Figures]]] = {kind: {way: {} for way in ways} for kind in (READ, WRITE)}
    for kind, workers in itertools.product((READ, WRITE), WORKERS):
        for way, operate in ways.items():
            figures = found[kind][way][workers] = measure(operate, waits, kind=kind, workers=workers, seconds=seconds, keys=keys)
            print(
                f"{address.dialect.value:<10} {kind:<5} {workers:>2} threads  {way:<37} "
                f"{figures['operations_per_second']:>7,} a second, wait p99 {figures['wait_p99_ms']} ms, failed {figures['failed']}",
                flush=True,
            )
    for database in databases.values():
        assert database.leaks == 0
        database.close()
    return found


def ratios(found: dict[str, dict[str, dict[int, Figures]]], other: str) -> dict[str, dict[int, float]]:
    """Return how many times as many operations the default pool does."""
    return {
        kind: {
            workers: round(figures["operations_per_second"] / max(1, ways[other][workers]["operations_per_second"]), 1)
            for workers, figures in ways[POOLED].items()
        }
        for kind, ways in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of each cell")
    seconds = parser.parse_args().seconds
    found = {}
    with PostgresServer(max_connections=100, fsync=True) as server:
        address = parse_database_address(server.url(server.new_database()), Path(), "", BOT)
        found["postgresql"] = compare(address, bare_postgres(address), seconds)
        with server.connect() as connection:
            row = connection.execute("SHOW server_version").fetchone()
            server_version = row[0] if row else None
    with tempfile.TemporaryDirectory() as folder:
        address = parse_database_address(None, Path(folder), "journal.sqlite", BOT)
        found["sqlite"] = compare(address, bare_sqlite(address), seconds)
    against_null_pool = {name: ratios(figures, NULL_POOL) for name, figures in found.items()}
    print(
        json.dumps(
            {
                "name": "database_pool",
                "seconds_a_cell": seconds,
                "figures": found,
                "ratio_connection_per_operation": against_null_pool,
                "ratio_bare_driver": {name: ratios(figures, DRIVER) for name, figures in found.items()},
                "ratio_postgres_least": min(ratio for kinds in against_null_pool["postgresql"].values() for ratio in kinds.values()),
                "aims": {"ratio_postgres_least": 5.0},
                "machine": {"cores": os.cpu_count(), "system": platform.platform(), "architecture": platform.machine()},
                "versions": {
                    "python": platform.python_version(),
                    "postgres": server_version,
                    "sqlite": sqlite3.sqlite_version,
                    **{name: version(name) for name in ("sqlalchemy", "psycopg")},
                },
            }
        )
    )


if __name__ == "__main__":
    main()
