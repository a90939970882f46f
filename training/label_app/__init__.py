"""Labelling in the browser: a page on this machine that saves labelled dumps as one goes."""
