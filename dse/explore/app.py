"""The explorer as a web application: what its page asks for, and the answers."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from dse.cost import Budget
from dse.errors import DseError, InvalidValue
from dse.explore.cloud import Cloud
from dse.explore.explorer import Explorer
from dse.explore.fronts import run_points, run_version, trial_decisions
from dse.explore.guard import Guard
from dse.explore.jobs import Job, Jobs
from dse.explore.keep import check_name, save_design, write_source
from dse.explore.page import page, plotly
from dse.resources import resource_dir
from dse.runs import open_run

T = TypeVar("T")
Answer = Callable[[Request], Awaitable[Response]]
_ASSETS = {
    "colours.css": "report",  # the same colours as the report's
    "explore.css": "explore",
    "base.js": "explore",
    "explore.js": "explore",
    "decisions.js": "explore",
    "plots.js": "explore",
    "actions.js": "explore",
}


class Application:
    """What answers the page. All work on designs is done in one thread, in the order asked: their
    caches are shared, and so are the processor's.
    """

    def __init__(self, explorer: Explorer, cloud: Cloud) -> None:
        self.token = secrets.token_urlsafe(24)
        self._explorer = explorer
        self._cloud = cloud
        self._jobs = Jobs()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="designs")

    def routes(self) -> list[Route]:
        """Every address."""
        asked: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "/update": self._update,
            "/options": self._options,
            "/source": self._source,
            "/start": self._start,
            "/save": self._save,
            "/emit": self._emit,
            "/onnx": self._onnx,
            "/train": self._train,
            "/cancel": self._cancel,
            "/enqueue": self._enqueue,
        }
        return [
            Route("/", self._page),
            Route("/assets/plotly.js", self._plotly),
            Route("/assets/{name}", self._asset),
            Route("/cloud", _answered(self._cloud_points)),
            Route("/runs/{name}", _answered(self._run)),
            Route("/jobs", _answered(self._all_jobs)),
            Route("/jobs/{number:int}/lines", self._lines),
            *(Route(path, _told(answer), methods=["POST"]) for path, answer in asked.items()),
        ]

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """The cloud is drawn, and commands run, while the server does."""
        self._cloud.begin()
        try:
            yield
        finally:
            self._cloud.close()
            await self._jobs.close()
            self._thread.shutdown(cancel_futures=True)

    # -- the page

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(await self._work(page, self._explorer, self.token))

    async def _plotly(self, _: Request) -> Response:
        # It is three megabytes, and changes with the package alone.
        headers = {"cache-control": "max-age=86400"}
        return Response(plotly(), media_type="text/javascript", headers=headers)

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _ASSETS:
            return PlainTextResponse("no such file", 404)
        kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
        return FileResponse(resource_dir("templates") / _ASSETS[name] / name, media_type=kind)

    # -- what is seen

    async def _update(self, asked: dict[str, Any]) -> Any:
        return await self._work(self._explorer.update, _wanted(asked), _budget(asked))

    async def _options(self, asked: dict[str, Any]) -> Any:
        return await self._work(self._explorer.options, _wanted(asked), _budget(asked))

    async def _source(self, asked: dict[str, Any]) -> Any:
        return await self._work(self._explorer.source, _wanted(asked))

    async def _cloud_points(self, request: Request) -> Any:
        since = request.query_params.get("since", "0")
        return self._cloud.document(int(since) if since.isdigit() else 0)

    async def _run(self, request: Request) -> Any:
        name = request.path_params["name"]
        if name not in self._explorer.runs:
            raise InvalidValue(f"the explorer was not started with the run {name!r}")
        version = await self._aside(run_version, name)
        if request.query_params.get("seen") == version:
            return {"version": version, "unchanged": True}
        points = await self._aside(run_points, name, self._explorer.space)
        return {"version": version, "unchanged": False, **points}

    async def _start(self, asked: dict[str, Any]) -> Any:
        """The decisions of a design that is seen somewhere on the page."""
        match asked:
            case {"point": int(number)} if 0 <= number < len(self._cloud.points):
                return {"decisions": self._cloud.points[number].decisions}
            case {"run": str(name), "trial": int(number)} if name in self._explorer.runs:
                space = self._explorer.space
                return {"decisions": await self._work(trial_decisions, name, number, space)}
        raise InvalidValue(f"a design is a point of the cloud or a trial of a run, got {asked}")

    # -- what is done

    async def _save(self, asked: dict[str, Any]) -> Any:
        return {"said": f"saved as {await self._kept(asked)}"}

    async def _emit(self, asked: dict[str, Any]) -> Any:
        path = await self._work(write_source, self._explorer, _wanted(asked), check_name(asked))
        return {"said": f"written to {path}"}

    async def _onnx(self, asked: dict[str, Any]) -> Any:
        path = await self._kept(asked)
        command = ("generate", path, "--onnx", "--out", str(self._explorer.designs))
        return await self._begun(f"ONNX of {path}", command)

    async def _train(self, asked: dict[str, Any]) -> Any:
        dataset, epochs = asked.get("dataset"), asked.get("epochs")
        if not isinstance(dataset, str) or not dataset:
            raise InvalidValue(f"a training needs a data set, got {dataset!r}")
        path = await self._kept(asked)
        # In one word with its option: a value that begins with - stays a value.
        command = ["train", path, f"--dataset={dataset}"]
        if epochs:
            command.append(f"--epochs={epochs}")
        return await self._begun(f"training of {path} on {dataset}", command)

    async def _cancel(self, asked: dict[str, Any]) -> Any:
        number = asked.get("job")
        job = self._jobs.find(number if isinstance(number, int) else 0)
        await self._jobs.cancel(job)
        return job.document()

    async def _enqueue(self, asked: dict[str, Any]) -> Any:
        name = asked.get("run")
        if name not in self._explorer.runs:
            raise InvalidValue(f"the explorer was not started with the run {name!r}")
        network = await self._work(self._explorer.network, _wanted(asked))

        def enqueued() -> str:
            from dse.search.waiting import enqueue

            return enqueue(open_run(str(name)), network)

        return {"said": await self._aside(enqueued)}

    async def _kept(self, asked: dict[str, Any]) -> str:
        path = await self._work(save_design, self._explorer, _wanted(asked), check_name(asked))
        return str(path)

    async def _begun(self, title: str, command: Any) -> dict[str, Any]:
        return (await self._jobs.begin(title, command)).document()

    # -- commands

    async def _all_jobs(self, _: Request) -> Any:
        return [job.document() for job in self._jobs.all()]

    async def _lines(self, request: Request) -> Response:
        try:
            job = self._jobs.find(request.path_params["number"])
        except DseError as error:
            return JSONResponse({"problem": str(error)}, 404)
        last = request.headers.get("last-event-id", "0")
        since = int(last) if last.isdigit() else 0
        return StreamingResponse(self._events(job, since), media_type="text/event-stream")

    async def _events(self, job: Job, since: int) -> AsyncIterator[str]:
        async for number, line in self._jobs.follow(job, since):
            yield f"id: {number}\ndata: {json.dumps(line)}\n\n"
        yield f"event: end\ndata: {json.dumps(job.document())}\n\n"

    # -- threads

    async def _work(self, call: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)

    async def _aside(self, call: Callable[..., T], *args: Any) -> T:
        """What takes long and shares nothing."""
        return await asyncio.to_thread(call, *args)


def make_app(explorer: Explorer, cloud: Cloud) -> tuple[Starlette, str]:
    """The application, and the token that its page carries."""
    application = Application(explorer, cloud)
    guarded = [Middleware(Guard, token=application.token)]
    app = Starlette(routes=application.routes(), middleware=guarded, lifespan=application.lifespan)
    return app, application.token


def _wanted(asked: Mapping[str, Any]) -> dict[str, Any]:
    wanted = asked.get("decisions")
    if not isinstance(wanted, dict):
        raise InvalidValue(f"decisions are a mapping, got {type(wanted).__name__}")
    return wanted


def _budget(asked: Mapping[str, Any]) -> Budget:
    limits = asked.get("budget", {})
    known = {name: value for name, value in limits.items() if name in Budget.__slots__}
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in known.values()):
        raise InvalidValue(f"limits are numbers, got {known}")
    return Budget(**known)


def _answered(answer: Callable[[Request], Awaitable[Any]]) -> Answer:
    """A user's mistake is said in ``problem``, with status 400."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request))
        except DseError as error:
            return JSONResponse({"problem": str(error)}, 400)

    return endpoint


def _told(answer: Callable[[dict[str, Any]], Awaitable[Any]]) -> Answer:
    """The same, of what comes with a JSON document."""

    async def with_document(request: Request) -> Any:
        try:
            document = json.loads(await request.body())
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise InvalidValue("a request holds a JSON mapping")
        return await answer(document)

    return _answered(with_document)
