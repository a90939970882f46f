"""Everything that makes or judges a model: labelled data, training, evaluation."""
