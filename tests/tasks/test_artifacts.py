"""What a run leaves to look at."""

from tasks import artifacts


def test_a_files_name_is_text_in_the_link_that_a_run_leaves(tmp_path, monkeypatch):
    left = {}
    monkeypatch.setattr(artifacts.FlowRunContext, "get", lambda: "a run")
    monkeypatch.setattr(artifacts, "create_link_artifact", lambda **more: left.update(more))
    artifacts.link("slice-export", tmp_path / "x](javascript:alert(1)).csv", "x](javascript:alert(1)).csv: 6 rows")
    assert left["link_text"] == left["description"] == r"x\](javascript:alert(1)).csv: 6 rows"
    assert left["link"].startswith("file:///")
    assert not {"]", "(", ")"} & set(left["link"].partition("x%5D")[0])
