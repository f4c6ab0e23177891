"""The report on autoencoders as TensorFlow 1 graphs that run on TensorFlow 2, each beside its Keras twin.

Where to find what:

    section1_reconstruction, section2_horses, section3_denoising, section4_sequences
                      a section of the report each: settings, data, graph, Keras twin
    runs              the account of each section, from the data to the last picture
    catalog           section number -> section and run
    layers, pipeline, model     what the graphs are made of: layers, input pipelines, GraphModel, a graph's contract
    training, trainers          the session, the only loop; what goes through it: a graph or a Keras model
    checkpoint, store, folders  the only place that writes or reads model.ckpt; the folder in which a kill loses nothing
    bundle            a checkpoint's index, read without trusting it
    interrupts        Ctrl-C and SIGTERM
    bridge            weights by name between a graph, its Keras twin and a checkpoint
    crosscheck        `python -m tf1_autoencoders.crosscheck`: graph against Keras, a table
    evaluate          `python -m tf1_autoencoders.evaluate --image 13`
    spread            `python -m tf1_autoencoders.spread`: the numbers over several seeds
    published, verdicts         the numbers the report prints; whether they lie inside the seeds' spread
    results, page, figures      what a run leaves behind; the page made of it; pictures (the only use of matplotlib)
    datasets, rows    CIFAR-10, Fashion-MNIST, their downloads, the drawn samples; which rows are trained on
    frameworks        the one door to TensorFlow and Keras
    console, errors, measures, paths     what the commands share
"""
