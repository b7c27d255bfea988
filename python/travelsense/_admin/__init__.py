"""The verbs beside the questions: what goes in, what is kept, and who may."""
