# SPDX-License-Identifier: MIT
"""Former name of popflow.torch, the loader of a trained model into PyTorch. It needs no installed popflow.

    python3 popflow_torch.py RUN model.pt      # saves the networks as TorchScript (see popflow.torch.export)
"""
import sys

from popflow.torch import FixedEncoder, FlowMatching, GraphEncoder, IcnnTransport, Run, export, main  # noqa: F401

if __name__ == "__main__":
    sys.exit(main(sys.argv))
print("note: popflow_torch is now popflow.torch, import that instead", file=sys.stderr)
