# Runs mock as process 1 of its own process namespace; standard input is a pipe from the program that started us.
# When that dies, so does all in here. The kernel spares process 1, which may be about to start something: so the rest is
# killed until process 1 has come to its end.
set -eu
exec 9<&0 </dev/null
(
  set +e
  cat <&9 >/dev/null
  while :; do kill -KILL -1; sleep 0.1; done 2>/dev/null
) &
exec 9<&-
code=0
# A session of its own cannot type into the terminal of the user.
setsid --wait "$@" </dev/null &
wait $! || code=$?
[ $code != 121 ] || code=1
exit $code
