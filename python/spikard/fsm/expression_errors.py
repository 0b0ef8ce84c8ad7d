"""What is wrong with expressions. What Python itself would raise for a value is raised as Python's own exception."""

from spikard.fsm.errors import FSMError


class ExprError(FSMError):
    """An expression cannot be compiled or has no value."""


class ExprSyntaxError(ExprError, SyntaxError):
    """The text is no expression; the message says where."""


class ExprRefusedError(ExprError):
    """The expression uses what is not available in expressions; the message says what is."""


class ExprLimitError(ExprError):
    """The expression or its result is too large, or it takes too long."""


class ExprNameError(ExprError, NameError):
    """A name is neither in the context nor a constant."""


class ExprAttributeError(ExprError, AttributeError):
    """A value has no such member."""
