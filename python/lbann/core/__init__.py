"""What an experiment is made of: layers, weights, optimizers, objective, metrics, callbacks, model, trainer."""
