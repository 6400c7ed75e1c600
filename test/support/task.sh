# A task for the contract suite: tells what it sees, then runs until told to exit.
# CONTROL: path prefix of its files; ON_SIGTERM: a code, "ignore", or empty.
case "$ON_SIGTERM" in
  '') ;;
  ignore) trap '' TERM ;;
  *) trap 'exit "$ON_SIGTERM"' TERM ;;
esac
env >"$CONTROL.env"
echo "$$" >>"$CONTROL.starts"
while [ ! -f "$CONTROL.exit" ]; do
  # The suite's directory is gone: nobody is left to end this task.
  [ -f "$CONTROL.starts" ] || exit 1
  if [ -f "$CONTROL.say" ]; then
    read -r to line <"$CONTROL.say"
    if [ "$to" = stderr ]; then echo "$line" >&2; else echo "$line"; fi
    rm -f "$CONTROL.say"
  fi
  sleep 0.02
done
code=$(cat "$CONTROL.exit")
rm -f "$CONTROL.exit"
exit "$code"
