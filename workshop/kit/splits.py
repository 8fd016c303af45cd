import sklearn.model_selection


def split_three_ways(inputs, labels, seed=0):
    """Split at random into training (two thirds), validation and test data (a sixth each), every class in proportion.

    inputs: (n, ...), labels: (n,). Returns (inputs, labels) three times: training, validation, test.
    """
    training_inputs, other_inputs, training_labels, other_labels = (
        sklearn.model_selection.train_test_split(
            inputs, labels, test_size=1 / 3, stratify=labels, random_state=seed
        )
    )
    validation_inputs, test_inputs, validation_labels, test_labels = (
        sklearn.model_selection.train_test_split(
            other_inputs, other_labels, test_size=1 / 2, stratify=other_labels, random_state=seed
        )
    )
    return (
        (training_inputs, training_labels),
        (validation_inputs, validation_labels),
        (test_inputs, test_labels),
    )
