"""emotrain teaches vision-language models to recognise human emotion in video, rare and fleeting ones included."""

__version__ = "0.1.0"
