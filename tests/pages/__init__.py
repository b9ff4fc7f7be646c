"""Renders every page that people look at, checks it, and lays the pictures out on a contact sheet."""
