import pytest

pytest.register_assert_rewrite("tests.journeys.room_page", "tests.journeys.window")
