"""Where the API gets its estimator from: built once a process, on the first need, and tried again after a failure."""

import threading
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from hpe.errors import HpeError
from hpe.settings import Settings
from hpe.web.request_log import LOGGER

if TYPE_CHECKING:
    from hpe.engine.bundle import Bundle
    from hpe.photo.analyse import Estimator


class EstimatorSource:
    """Call it for the estimator. Raises ModelUnavailable or BadModel; the next call then tries again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._estimator: Estimator | None = None
        self._fetched: Callable[[], Bundle] | None = None

    def __call__(self) -> "Estimator":
        """The estimator, built on the first call that can. Calls that come meanwhile wait for it."""
        with self._lock:
            if self._estimator is None:
                self._estimator = self._build()
            return self._estimator

    def warm(self) -> None:
        """Build it now, while no request waits. A failure is logged: the first request will try again."""
        from hpe.engine.bundle import prefetch

        # 0.1 s, and the first form that comes needs it: let it load while the model does
        threading.Thread(target=import_module, args=("requests_toolbelt.multipart.decoder",), daemon=True).start()
        if self._settings.model.startswith("s3://"):
            # beside the imports that follow
            self._fetched = prefetch(self._settings.model, self._settings.cache_dir)
        try:
            self()
        except HpeError as error:
            LOGGER.warning("the model could not be loaded ahead: %s", error)

    def _build(self) -> "Estimator":
        from hpe.engine.estimator import PoseEstimator

        fetched, self._fetched = self._fetched, None
        return PoseEstimator(
            fetched() if fetched else self._settings.model or None,
            threads=self._settings.threads,
            threshold=self._settings.threshold or None,
            max_people=self._settings.max_people,
            cache_dir=self._settings.cache_dir,
        )
