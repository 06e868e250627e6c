"""Reference libraries that need help to be imported."""

import importlib
import sys
from types import ModuleType


def import_torchaudio() -> ModuleType:
    """``torchaudio``, also beside a build of torch without CUDA, for which its compiled extension does not load.

    What is needed of it here is written in Python. So if the plain import fails, it is done again with a stand-in for
    the module that loads the extension.
    """
    try:
        return importlib.import_module("torchaudio")
    except OSError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        extension = ModuleType("torchaudio._extension")
        extension._IS_TORCHAUDIO_EXT_AVAILABLE = False
        extension.fail_if_no_align = lambda function: function
        sys.modules["torchaudio._extension"] = extension
        return importlib.import_module("torchaudio")
