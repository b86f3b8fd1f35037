"""Lets a worker of `accelerate launch` run a GPU configuration on the CPU, over gloo; kills it at a step when told to.

accelerate knows FSDP and DeepSpeed on accelerators only: on a CPU it answers with one process or plain data
parallelism. In front on PYTHONPATH, and with EMOTRAIN_TEST_GLOO=1, this module makes it take the CPU for the
accelerator. EMOTRAIN_TEST_KILL_AT=N sends SIGKILL to the worker at the end of its Nth step. Nothing else changes.
"""

import os
import signal

if "LOCAL_RANK" in os.environ and os.environ.get("EMOTRAIN_TEST_GLOO") == "1":
    os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
    os.environ["DS_ACCELERATOR"] = "cpu"

    from accelerate.state import DistributedType, PartialState

    start = PartialState.__init__

    def on_cpu(self, cpu=False, **kwargs):
        start(self, False, **(kwargs | {"backend": "gloo"}))

    PartialState.__init__ = on_cpu
    PartialState._prepare_backend = lambda self, *args, **kwargs: ("gloo", DistributedType.MULTI_GPU)

if "LOCAL_RANK" in os.environ and "EMOTRAIN_TEST_KILL_AT" in os.environ:
    from transformers.trainer_callback import CallbackHandler

    end_step = CallbackHandler.on_step_end

    def killed(self, args, state, control):
        if state.global_step == int(os.environ["EMOTRAIN_TEST_KILL_AT"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return end_step(self, args, state, control)

    CallbackHandler.on_step_end = killed
