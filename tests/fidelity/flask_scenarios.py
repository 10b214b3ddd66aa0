from fidelity.twins import Collection

scenario = Collection("wsgi", "flask", ())
