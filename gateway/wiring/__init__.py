"""Where core, adapters and shell meet. Nothing else knows the clock or makes the parts."""

from gateway.wiring.running import RunningGateway, gateway_running
from gateway.wiring.until_stopped import run_gateway

__all__ = ["RunningGateway", "gateway_running", "run_gateway"]
