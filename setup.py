"""What setup.cfg can't say: the files of the pages stand beside the package, and are installed inside it."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["chatserver*"]), "chatserver.static", "chatserver.templates"],
    package_dir={"chatserver.static": "static", "chatserver.templates": "templates"},
    package_data={"": ["*.lua"], "chatserver.static": ["**/*"], "chatserver.templates": ["*.html"]},
)
