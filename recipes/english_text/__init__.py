"""The English pretraining text of the shipped models: sources, evaluation texts kept out, mixture."""
