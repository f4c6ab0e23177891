"""`python -m tf1_autoencoders`: what there is to type."""
from tf1_autoencoders import __version__

COMMANDS = {
    "run_all": "the whole report: four sections, one table, results/report.html",
    "run_all --section 2": "one section of the report",
    "evaluate --image 13": "one test image through the trained network of section 2",
    "crosscheck": "each graph against its Keras twin, as a table",
    "spread --section 4": "mean and standard deviation over ten seeds",
    "clean": "list runs that were set aside and unfinished downloads, and delete them",
    "export --section 2 --to onnx": "a trained section in another format, proven",
    "convert CHECKPOINT": "anybody's TensorFlow 1 checkpoint, listed or in another format",
    "run_tf1 PROGRAM.py": "a TensorFlow 1 program or notebook, unmodified, with its old numbers",
    "play": "a page in which the trained networks run in the browser, without installing anything"}


def main() -> None:
    print(f"tf1-autoencoders {__version__}: a report on autoencoders as TensorFlow 1 graphs that run on TensorFlow 2",
          "", "Type one of these commands; each has --help:", "", sep="\n")
    for command, meaning in COMMANDS.items():
        print(f"  python -m tf1_autoencoders.{command:<29} {meaning}")


if __name__ == "__main__":
    main()
