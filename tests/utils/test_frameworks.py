"""TensorFlow and Keras are imported when they are first used."""
import re

from tf1_autoencoders.utils import cli, frameworks


def test_without_tensorflow_a_command_says_what_to_install(monkeypatch, capsys):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])
    monkeypatch.setattr(frameworks.importlib, "import_module", missing)
    for names in (["tensorflow.compat.v1"], ["keras", "tensorflow.keras"]):
        module = frameworks._LazyModule("module", *names)
        assert cli.run_command(cli.Parser(prog="command"), lambda args, module=module: module.version, []) == 1
        assert re.fullmatch("command: .* has no TensorFlow; .*`pip install -r requirements.txt`\n",
                            capsys.readouterr().err)
