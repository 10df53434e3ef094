"""What is measured, beside its floor: `python -m benchmarks`.

Absolute numbers belong to the machine and the minute. Each measure is therefore taken beside a floor, the least that
the same servers would have to do, in alternation and in the same run; what is worth remembering is the ratio.
"""
