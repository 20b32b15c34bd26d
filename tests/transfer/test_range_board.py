"""Who fetches which part of a file, without a wire."""

from __future__ import annotations

import threading

import pytest

from include.transfer.range_board import Piece, RangeBoard


def test_pieces_tile_the_rest_of_the_file() -> None:
    """From where the prefix ends to the last byte, without gap or overlap."""
    board = RangeBoard(7, 40, 10, 9)
    pieces = [board.claim() for _ in range(4)]
    assert [(7, 10), (17, 10), (27, 10), (37, 3)] == [(piece.first, piece.length) for piece in pieces if piece]
    assert board.claim() is None


def test_no_piece_is_given_out_of_reach() -> None:
    """D27: what lies behind the prefix is one piece for each connection, so a kill costs no more than that."""
    board = RangeBoard(0, 100, 10, 3)
    first = [board.claim() for _ in range(3)]
    later: list[Piece | None] = []
    thread = threading.Thread(target=lambda: later.append(board.claim()))
    thread.start()
    for piece in first[1:]:
        assert piece is not None
        board.finish(piece)
    thread.join(0.2)
    assert [] == later
    assert first[0] is not None
    board.finish(first[0])
    assert first[0] is board.next_whole()
    board.absorbed()
    thread.join(5)
    assert [30] == [piece.first for piece in later if piece]


def test_a_failure_sends_everybody_home() -> None:
    """The follower gets the first error, the others no more pieces; and it can begin again with what is there."""
    board = RangeBoard(0, 30, 10, 3)
    first, second = board.claim(), board.claim()
    assert first is not None
    assert second is not None
    second.received = 4
    board.fail(ValueError("first"))
    board.fail(KeyError("second"))
    assert board.claim() is None
    with pytest.raises(ValueError, match="first"):
        board.next_whole()
    board.reopen()
    again = [board.claim() for _ in range(3)]
    assert second is again[1]
    assert (14, 19) == (second.missing.first, second.missing.last)
