"""The report on autoencoders as TensorFlow 1 graphs that run on TensorFlow 2, each beside its Keras twin.

Where to find what:

    section2_horses   section 2 of the report, from its settings to reconstruct_image
    catalog           section number -> section module
    layers            graph layers: dense_layer
    model             GraphModel, the contract of a built graph
    training          the only session loop
    checkpoint        the only place that writes or reads model.ckpt
    bridge            weights by name between a graph, its Keras twin and a checkpoint
    crosscheck        `python -m tf1_autoencoders.crosscheck`: graph against Keras, a table
    evaluate          `python -m tf1_autoencoders.evaluate --image 13`
    published         the numbers the report prints
    results           what a run leaves behind: settings, metrics, figures, tables
    figures           the pictures (the only use of matplotlib)
    datasets          CIFAR-10, its download, and the drawn sample
    frameworks        the one door to TensorFlow and Keras
    console, errors   what the commands share
"""
