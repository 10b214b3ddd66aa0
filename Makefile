# For habit's sake; `python3 dev.py demo` and `python3 dev.py test` do the same.
.PHONY: demo test
demo test:
	python3 dev.py $@
