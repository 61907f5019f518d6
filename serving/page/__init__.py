"""Pages to try the models in a browser: rendered on the server, whole without a script, nothing from elsewhere.

pages.py        routes: the list of models, a model's page and its form
forms.py        what a form holds → a request of the model → what is shown
tables.py       pasted CSV → rows of numbers
chart.py        forecasts as inline SVG
templates/      HTML, style and script
"""
