"""The observer's page for people: what it knows of one bot, at a glance, in any browser behind ``kubectl port-forward``.

Everything on it is rendered here, once, in named slots; the page's own script only puts new contents into the slots that have changed
and draws the history. So what a browser without scripts shows is the same. Nothing is loaded from elsewhere and nothing can be changed.
"""
