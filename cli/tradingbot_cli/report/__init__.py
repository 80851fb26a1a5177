"""A bot in one HTML file: what it earned, how, and in what health, for somebody who has neither the cluster nor this program.

The file holds all that it shows. It has no scripts and asks for nothing; what others wrote into it (symbols, messages, a spec) is text.
"""
