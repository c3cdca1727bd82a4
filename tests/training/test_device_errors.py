"""What a device raises, in a sentence that says something."""

import tensorflow as tf

from worker.training.device_errors import essence

SEVERAL = """Graph execution error:

Detected at node {{node while/body/_1/while/EagerPyFunc}} defined at (most recent call last):
  File "run.py", line 3, in <module>
2 root error(s) found.
  (0) UNKNOWN:  RuntimeError: CUDA_ERROR_ECC_UNCORRECTABLE
Traceback (most recent call last):
  (1) CANCELLED:  Function was cancelled before it was started
0 successful operations. [Op:__inference__steps_52]"""
ONE = """Graph execution error:

Detected at node {{node dense/MatMul}} defined at (most recent call last):
  File "run.py", line 3, in <module>
cuBLAS: out of luck [[{{node dense/MatMul}}]] [Op:__inference__steps_52]"""


def test_of_several_errors_the_first_is_named() -> None:
    error = tf.errors.UnknownError(None, None, SEVERAL)
    assert essence(error) == "RuntimeError: CUDA_ERROR_ECC_UNCORRECTABLE"


def test_places_in_the_program_are_left_out() -> None:
    error = tf.errors.InternalError(None, None, ONE)
    assert essence(error) == "cuBLAS: out of luck"
