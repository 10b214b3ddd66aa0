# For habit's sake; `python3 dev.py demo`, `... test` and `... floors` do the same.
.PHONY: demo test floors
demo test floors:
	python3 dev.py $@
