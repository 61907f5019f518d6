"""Serve SavedModels: TensorFlow Serving's REST and gRPC protocols, the Open Inference Protocol, metrics.

Nothing here imports Keras or anything that trains. ``server.py`` puts the parts together, ``app.py`` the HTTP routes;
``served_model.py`` is one loaded version, ``repository.py`` all of them.
"""
