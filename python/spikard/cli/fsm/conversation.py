"""A trial at the terminal, with completion and history of lines where there is readline."""

from spikard.cli.fsm.trial import Trial


def converse(trial: Trial) -> None:
    """Read lines until the end."""
    _complete(trial)
    machine = trial.simulation.original
    print(
        f"{machine.name} {machine.version}: events are {', '.join(_events(trial))}. `help` lists commands, Ctrl-D ends."
    )
    if trial.simulation.unregistered:
        print(f"guards that nobody answers for pass: {', '.join(trial.simulation.unregistered)} (`guard NAME no`)")
    while not trial.is_over:
        try:
            line = input(f"{trial.session.place}> ")
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            # The line is thrown away, as shells do.
            print()
            continue
        if not line.strip():
            continue
        try:
            told = trial.read(line)
        except ValueError as error:
            told = [str(error)]
        for text in told:
            print(text)


def _events(trial: Trial) -> list[str]:
    return [name for name in trial.simulation.original.trigger_names if not name.startswith("_")]


def _complete(trial: Trial) -> None:
    try:
        import readline
    except ImportError:
        # Not on every system: lines can be typed without it.
        return

    def candidates(text: str, state: int) -> str | None:
        before = readline.get_line_buffer()[: readline.get_begidx()].split()
        found = [f"{word} " for word in trial.words] if not before else _arguments(trial, before[0])
        fitting = [word for word in found if word.startswith(text)]
        return fitting[state] if state < len(fitting) else None

    readline.set_completer(candidates)
    readline.set_completer_delims(" ")
    # The library that macOS has instead is told in another language.
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")


def _arguments(trial: Trial, first: str) -> list[str]:
    if first == "guard":
        return [*(f"{name} " for name in sorted(trial.simulation.names)), "yes", "no", "ask"]
    if first == "unset":
        return [f"{key} " for key in trial.known]
    return [f"{key}=" for key in trial.known]
