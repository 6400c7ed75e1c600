# A task for tests on the Docker engine: tells what it sees, then runs until told to exit.
# ON_SIGTERM: a code, "ignore", or empty.
case "$ON_SIGTERM" in
  '') ;;
  ignore) trap '' TERM ;;
  *) trap 'exit "$ON_SIGTERM"' TERM ;;
esac
env
echo '-- started'
while [ ! -f /tmp/exit ]; do
  [ ! -f /tmp/exhaust ] || exec dd if=/dev/zero of=/dev/null bs=512M count=1
  if [ -f /tmp/say ]; then
    mv /tmp/say /tmp/said
    read -r to line </tmp/said
    if [ "$to" = stderr ]; then echo "$line" >&2; else echo "$line"; fi
  fi
  sleep 0.05
done
exit "$(cat /tmp/exit)"
