"""What a bot trades with, beside its journal and its session: connections, caches, what judges news, and the jobs that look after them.

It is opened whole or not at all, before the first bar, and closed after the last. Everything in it follows the document live, and none of
it can stop trading: what is gone is a fact in the status, and is done without.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tradingbot_contract.document import EngineDocument, SpecError
from tradingbot_contract.endpoints import ENV_REDIS_URL
from tradingbot_contract.report import Dependency
from tradingbot_contract.resources import Cache as CacheSettings
from tradingbot_contract.resources import Pool, RedisPool
from tradingbot_engine import pool_watch
from tradingbot_engine.cache.cache import Cache
from tradingbot_engine.cache.caches import CacheManager
from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.cache.sharing import Sharing
from tradingbot_engine.database import retention
from tradingbot_engine.database.address import DatabaseAddress
from tradingbot_engine.database.connections import HISTORY_POOL, Database
from tradingbot_engine.database.history import History
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.monitor import DatabaseMonitor
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.http_client.client import HttpClient
from tradingbot_engine.memory import guard
from tradingbot_engine.news import recorder
from tradingbot_engine.news.http_feed import HttpNews
from tradingbot_engine.news_desk import NewsDesk, Position, model_budget_bytes, open_news_desk
from tradingbot_engine.performance import REFRESH_SECONDS, PerformanceView
from tradingbot_engine.pool_stats import PoolStats
from tradingbot_engine.pool_watch import PoolWatch
from tradingbot_engine.prediction.sentiment import Sentiment
from tradingbot_engine.scheduler import Job, Scheduler
from tradingbot_engine.session import TradingSession
from tradingbot_engine.surroundings import Surroundings
from tradingbot_engine.telemetry.otlp import OtlpExport, read_interval_seconds
from tradingbot_engine.tuning import Part, Target
from tradingbot_engine.unavailable import UnavailableError
from tradingbot_engine.views import SymbolPerformance

if TYPE_CHECKING:
    from tradingbot_engine.redis_client.client import RedisClient

_DRAIN_SECONDS: Final = 1.0
"""How long the end waits for values on their way to Redis, and for news on its way to the history."""
_HISTORY_CONNECTIONS: Final = Pool(size=1, max_overflow=1)
"""Nothing waits for the history, so it takes no more of a shared database."""


class Equipment:
    """See the module."""

    def __init__(
        self,
        document: EngineDocument,
        around: Surroundings,
        *,
        database: Database,
        history_database: Database | None,
        redis: RedisClient | None,
        http: HttpClient,
        caches: CacheManager,
        news: NewsDesk | None,
        pruner: retention.Pruner,
        performance: PerformanceView,
    ) -> None:
        self.document = document
        """The one that it goes by; who changes it live says so here."""
        self.database = database
        self.monitor = DatabaseMonitor(database)
        self.history_database = history_database
        self.redis = redis
        self.http = http
        self.caches = caches
        self.news = news
        self.pruner = pruner
        self.performance = performance
        self.guard = guard.MemoryGuard(
            around.memory.read,
            document.cache.pressure,
            caches=caches,
            modes=news.predictions if news else None,
            on_limit=self._limit_changed,
        )
        self.otlp = OtlpExport(around.telemetry.provider, read_interval_seconds(around.environment))
        self.pool_watch = PoolWatch(self.pools)
        self.scheduler = Scheduler(self._jobs(document), busy=around.lag.busy, record=around.telemetry.record)

    # --- What is known of it ---------------------------------------------------------------------------------------------------

    def pools(self) -> list[PoolStats]:
        found = [*(database.stats() for database in self.databases()), self.http.stats()]
        if self.redis is not None:
            found.append(self.redis.stats())
        return found

    def databases(self) -> list[Database]:
        return [self.database] if self.history_database is None else [self.database, self.history_database]

    def dependencies(self) -> list[Dependency]:
        """How each thing outside does, that this bot has."""
        found = [self.monitor.dependency]
        if self.redis is not None:
            found.append(self.redis.dependency())
        if self.news is not None:
            found.append(self.news.dependency())
        if self.otlp.dependency is not None:
            found.append(self.otlp.dependency)
        return found

    # --- Life ------------------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin all background work."""
        if self.news is not None:
            self.news.start()
        await self.otlp.follow(self.document.observability.otlp_endpoint)
        self.scheduler.start()
        for name in ("database-monitor", "redis-monitor", "news"):
            if name in self.scheduler.jobs:
                self.scheduler.wake(name)

    async def close(self) -> None:
        """End all of it, in the opposite order."""
        await self.scheduler.stop()
        if self.news is not None:
            with contextlib.suppress(TimeoutError, UnavailableError):  # it is for people to look back: nothing waits long for it
                await asyncio.wait_for(self.news.recorded.flush(), _DRAIN_SECONDS)
            await self.news.close()
        await self.otlp.close()
        if self.redis is not None:
            for name in CacheName:
                sharing = self.caches.cache(name).sharing
                if sharing is not None:
                    with contextlib.suppress(TimeoutError):  # then it is computed anew
                        await asyncio.wait_for(sharing.drain(), _DRAIN_SECONDS)
            await self.redis.close()
        await self.http.close()
        if self.history_database is not None:
            self.history_database.close()

    # --- The document, live ----------------------------------------------------------------------------------------------------

    def targets(self, session: TradingSession) -> Sequence[Target]:
        """Return what follows the document: first what can fail, last what can't."""
        running, scheduler = self.document, self.scheduler
        parts: list[Target] = [
            Part(running, lambda now: (now.database.pool, now.database.retry), lambda settings: self.database.reconfigure(*settings)),
        ]
        redis = self.redis
        if redis is not None:
            parts += [
                Part(running, lambda now: now.redis, lambda settings: self._reconfigure_redis(redis, settings)),
            ]
        return [
            *parts,
            Part(running, lambda now: now.http, self.http.reconfigure),
            Part(running, lambda now: now.observability.otlp_endpoint, self.otlp.follow),
            Part(running, lambda now: now.cache, self._resize_caches),
            Part(running, lambda now: now.cache.pressure, self.guard.reconfigure),
            Part(running, lambda now: now.cache.cleanup_interval_seconds, lambda seconds: scheduler.reschedule("cache-cleanup", seconds)),
            Part(
                running,
                lambda now: now.database.health_interval_seconds,
                lambda seconds: scheduler.reschedule("database-monitor", seconds),
            ),
            Part(running, lambda now: now.database.retention, self.pruner.reconfigure),
            *([self.news.mode_target(running)] if self.news else []),
            Part(running, lambda now: now.risk, session.set_risk),
        ]

    def _jobs(self, document: EngineDocument) -> list[Job]:
        jobs = [
            Job("memory", guard.INTERVAL_SECONDS, self.guard.check, urgent=True),
            Job("pools", pool_watch.INTERVAL_SECONDS, self._watch_pools, urgent=True),
            Job("database-monitor", document.database.health_interval_seconds, self._check_databases, urgent=True),
            Job("cache-cleanup", document.cache.cleanup_interval_seconds, self.caches.clean),
            Job("retention", retention.INTERVAL_SECONDS, self.pruner.run, urgent=True),  # a replay at full speed is always busy
            Job("views", REFRESH_SECONDS, self.performance.refresh),
        ]
        if self.redis is not None and document.redis is not None:
            jobs.append(Job("redis-monitor", document.redis.health_check_interval_seconds, self.redis.check))
        if self.news is not None:
            jobs.append(Job("history", recorder.INTERVAL_SECONDS, self.news.recorded.flush))
            section = document.market.news
            if isinstance(self.news.feed, HttpNews) and section is not None and section.http is not None:
                jobs.append(Job("news", section.http.poll_seconds, self.news.feed.poll))
        return jobs

    def _limit_changed(self, limit_bytes: int | None) -> None:
        if self.news is not None:
            self.news.predictions.reconsider(model_budget_bytes(self.document, limit_bytes))

    async def _reconfigure_redis(self, redis: RedisClient, settings: RedisPool | None) -> None:
        assert settings is not None  # that there is a Redis doesn't change while the engine runs
        await redis.reconfigure(settings)
        self.scheduler.reschedule("redis-monitor", settings.health_check_interval_seconds)

    async def _resize_caches(self, settings: CacheSettings) -> None:
        self.caches.reconfigure(settings)
        await self.caches.settle()

    async def _check_databases(self) -> None:
        if self.history_database is not None:
            self.history_database.review_loans()
        await self.monitor.check()

    async def _watch_pools(self) -> None:
        self.pool_watch.look(time.time())


async def open_equipment(
    document: EngineDocument,
    around: Surroundings,
    *,
    database: Database,
    journal: Journal,
    writer: JournalWriter,
    session: TradingSession,
    position: Position,
    history_address: DatabaseAddress,
) -> Equipment:
    """Return the equipment of a document; nothing of it works yet.

    Raises:
        SpecError: a part of the document can't be used; nothing stays open.
        UnavailableError: something is missing now; nothing stays open.
    """
    record = around.telemetry.record
    async with contextlib.AsyncExitStack() as stack:
        redis = _open_redis(document, around)
        if redis is not None:
            stack.push_async_callback(redis.close)
        http = HttpClient(document.http, record)
        stack.push_async_callback(http.close)
        caches = CacheManager(document.cache, record)
        views: Cache[str, list[SymbolPerformance]] = caches.cache(CacheName.VIEWS)
        judgements: Cache[str, Sentiment] = caches.cache(CacheName.PREDICTIONS)
        if redis is not None:
            from tradingbot_engine.cache.redis_level import RedisLevel  # noqa: PLC0415 - only a bot with a Redis loads it

            level = RedisLevel(redis, document.bot.shard)
            views.sharing = Sharing(level, list[SymbolPerformance], scope=document.bot.uid)
            judgements.sharing = Sharing(level, Sentiment, scope="")
        history_database = None
        if document.market.news is not None and not document.database.external:
            history_database = Database(
                history_address, _HISTORY_CONNECTIONS, document.database.retry, record, durable=False, name=HISTORY_POOL
            )
            stack.callback(history_database.close)

        # A shared database has one pool for both: a second would take connections that others need.
        with_history = history_database or database

        def open_history() -> History:
            history = History(with_history)
            history.open()
            return history

        news = await open_news_desk(document, around, position, cache=judgements, client=http, open_history=open_history)
        equipment = Equipment(
            document,
            around,
            database=database,
            history_database=history_database,
            redis=redis,
            http=http,
            caches=caches,
            news=news,
            pruner=retention.Pruner(document.database.retention, database, journal.epoch, with_history if news else None),
            performance=PerformanceView(session, journal, writer, views, around.counts),
        )
        stack.pop_all()  # from here on `close` does it
        return equipment


def _open_redis(document: EngineDocument, around: Surroundings) -> RedisClient | None:
    if document.redis is None:
        return None
    url = around.environment.get(ENV_REDIS_URL)
    if not url:
        raise SpecError(f"redis: its address is not in the environment: set {ENV_REDIS_URL}, or leave the section out")
    from tradingbot_engine.redis_client.client import RedisClient  # noqa: PLC0415 - only a bot with a Redis loads it

    return RedisClient(url, document.redis, around.telemetry.record)
