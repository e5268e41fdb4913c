# Runs mock as process 1 of its own process namespace; standard input is a pipe from the program that started us.
# When that dies, so does all in here.
set -eu
exec 9<&0 </dev/null
(cat <&9 >/dev/null; kill -KILL -1) &
exec 9<&-
code=0
# A session of its own cannot type into the terminal of the user.
setsid --wait "$@" </dev/null &
wait $! || code=$?
[ $code != 121 ] || code=1
exit $code
