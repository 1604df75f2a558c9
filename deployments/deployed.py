"""Pool, deployments and automations on the server: made once it answers, and again when it has lost them."""

from deployments import prefect_automations
from deployments import prefect_stack as stack
from deployments.errands import Errand
from deployments.prefect_api import Api
from deployments.processes import Children

COLLECTOR = "collect-live/local"
LOOK_S = 15.0


class Deployed:
    """What `up` has made on its server, in a thread: it takes as long as two commands of Prefect's.

    Attributes:
        up: Whether it is there, as far as is known.
    """

    def __init__(self, api: Api, children: Children, block: str | None) -> None:
        """Make nothing yet; ``block`` is `notify.block`."""
        self.up = False
        self._api, self._children, self._block = api, children, block
        self._errand = Errand(self._look, LOOK_S)

    def tick(self, now: float) -> list[str]:
        """Look, when it is due; call it while the server answers. Return what there is to tell."""
        return self._errand.tick(now)

    def _look(self) -> list[str]:
        """A database that was lost, or made anew, has none of it."""
        lost = self.up and not self._api.has_deployment(COLLECTOR)
        if self.up and not lost:
            return []
        self.up = False
        stack.deploy(self._children)
        prefect_automations.put(self._api, self._block)
        self.up = True
        return ["the server had lost its deployments: they are made anew"] if lost else []
