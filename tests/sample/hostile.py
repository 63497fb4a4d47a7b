"""A graph whose answers are an attack on whoever shows them."""

from pydantic import BaseModel

from fanwise import agent, graph

SCRIPT = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
FORMULA = "=cmd()"


class Letter(BaseModel):
    id: str
    body: str


class Answer(BaseModel):
    text: str
    cell: str


@agent(model="claude-haiku-5-5", max_tokens=200)
def echo(body: str) -> str:
    """Repeat it."""
    return SCRIPT


@agent(model="claude-haiku-5-5", max_tokens=200)
def wrap(text: str, body: str) -> Answer:
    """Wrap it."""
    if "fail" in body:
        raise ValueError(SCRIPT)
    return Answer(text=text, cell=FORMULA)


@graph
def letters(letter: Letter) -> Answer:
    return wrap(echo(letter.body), letter.body)
