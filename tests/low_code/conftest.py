import os

from low_code.growth import GROWN

#: The tests in `doors/` use models that only the grown copy of the project has.
collect_ignore = [] if GROWN in os.environ else ["doors"]
