"""`temporal parley inbox`: what waits for somebody; and conversations that are named by the run that holds them."""

import json
from uuid import uuid4

import pytest

from infra.devserver import DevServer
from signals.messages import Turn
from tests.flows.points import Wish
from tests.harness import eventually
from tests.unit.conversation.talk import ANYTHING, person
from tests.workflows.rooms import BEN, FREE_FORM, Room, Rooms
from tests.workflows.shell import Spoken, command
from tests.workflows.talks import Talks


async def waiting_for(server: DevServer, speaker: str, count: int) -> list[dict[str, object]]:
    """What waits for somebody, when there is as much of it as there should be."""

    async def items() -> list[dict[str, object]]:
        listed = await command(server, "inbox", "--as", speaker, "--json")
        assert (listed.status, listed.errors) == (0, "")
        found: list[dict[str, object]] = json.loads(listed.output)
        return found

    return await eventually(items, lambda found: len(found) == count)


async def test_what_waits_for_somebody_is_listed_with_the_command_that_answers(rooms: Rooms, server: DevServer) -> None:
    name = f"eve-{uuid4().hex[:8]}"
    eve = person(name, *ANYTHING)
    mine = await rooms.open(eve, BEN, coordination=FREE_FORM, topic="Lunch\x1b[2J?")
    await mine.say("ben", "tea?\nor coffee?")
    await mine.taken(1)
    theirs = await rooms.open(BEN, eve)  # it is Ben's turn
    [item] = await waiting_for(server, name, 1)
    answer = f"temporal parley chat {mine.id} --as {name}"
    assert {key: item[key] for key in ("conversation", "topic", "speaker", "text", "answer")} == {
        "conversation": mine.id,
        "topic": "Lunch\x1b[2J?",
        "speaker": "ben",
        "text": "tea?\nor coffee?",
        "answer": answer,
    }
    shown = (await command(server, "inbox", "--as", name)).output.splitlines()
    assert shown[0] == f"{mine.id} · just now"
    assert [line.split() for line in shown[1:3]] == [
        ["about", "Lunch\\x1b[2J?"],
        ["last", "ben:", "tea?", "or", "coffee?"],
    ]
    assert shown[3:] == [f"  answer  {answer}"]
    await mine.handle.terminate()  # it still says whom it waited for
    await theirs.say("ben", "your turn")
    [item] = await eventually(lambda: waiting_for(server, name, 1), lambda found: found[0]["conversation"] == theirs.id)
    assert item["text"] == "your turn"
    await theirs.close(name)
    assert await waiting_for(server, name, 0) == []
    assert (await command(server, "inbox", "--as", name)).output == f"Nothing waits for {name}.\n"


@pytest.mark.parametrize("speaker", ['a" OR ParleyMode="conversation', "", "a b"])
async def test_only_an_id_can_be_asked_for(speaker: str, server: DevServer) -> None:
    refused = await command(server, "inbox", "--as", speaker)
    assert (refused.status, refused.output) == (2, "")
    assert "an id has letters, digits and ._@+-, at most 64 of them" in refused.errors


# By the run that holds it


async def test_a_run_stands_for_its_open_conversation(talks: Talks, server: DevServer) -> None:
    run = await talks.start("Consult", Wish())
    [opened] = await talks.opened(run)
    spoken = await command(server, "chat", run.id, "--as", "ann", typed="hello\n")
    assert (spoken.status, spoken.errors) == (0, "")
    assert f"Where to? ({opened.id})" in spoken.output
    assert await talks.said(opened.id, 1) == ["hello"]
    await talks.decide(opened.id, {"place": "Oslo"})
    await run.result()
    assert "ann: hello" in (await command(server, "transcript", run.id)).output
    over = await command(server, "chat", run.id, "--as", "ann")
    assert over == Spoken(2, "", f"parley: '{run.id}' is a Consult without an open conversation\n")


async def test_of_several_conversations_one_must_be_named(talks: Talks, server: DevServer) -> None:
    run = await talks.start("Hall", Wish())
    opened = await talks.opened(run, 2)
    names = ", ".join(record.id for record in opened)
    told = f"parley: '{run.id}' is a Hall with several conversations, name one: {names}\n"
    assert await command(server, "chat", run.id, "--as", "ann") == Spoken(2, "", told)
    await run.cancel()


async def test_a_script_s_turns_reach_the_conversation_in_their_order(rooms: Rooms, server: DevServer) -> None:
    room: Room = await rooms.open(person("ann", *ANYTHING), BEN, coordination=FREE_FORM, history_events=50)
    lines = [f"line {number}" for number in range(40)]
    spoken = await command(server, "chat", room.id, "--as", "ann", typed="\n".join(lines))
    assert [line.split(": ")[1] for line in spoken.output.splitlines() if line.startswith("#")] == lines
    await room.send(Turn(speaker="ben", text="that was a lot"))
    assert [text for _, text in await room.said(41)][-2:] == ["line 39", "that was a lot"]
    assert len(await room.runs()) > 1
    await room.close()
