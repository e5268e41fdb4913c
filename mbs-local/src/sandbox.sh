# Prepares a private namespace and runs one command in it; process 1 of its own process namespace.
# Arguments: DIRECTORY LAYER OVERLAY_OPTIONS COMMAND [ARGUMENT...]. All text from outside comes as
# arguments; paths that go into mount options are relative, so that no character in them matters.
# Exit code 0: the command ended well; 119: badly; 120: the namespace could not be prepared. Any other comes from the
# programs around this script.
set -eu
umask 022
stage=setup
trap '[ $stage != setup ] || exit 120' EXIT
directory=$1 layer=$2 overlay_options=$3
shift 3

# Standard input is a pipe from the program that started us. When that dies, so does all in here. The kernel spares
# process 1, which may be about to start something: so the rest is killed until process 1 has come to its end.
exec 9<&0 </dev/null
(
  set +e
  cat <&9 >/dev/null
  while :; do kill -KILL -1; sleep 0.1; done 2>/dev/null
) &
exec 9<&-

# An earlier command in this directory may have left links there.
for own in namespace tmp; do
  [ -d "$directory/$own" ] && [ ! -L "$directory/$own" ] || rm -f "$directory/$own"
done
mkdir -p "$directory/namespace" "$directory/tmp"
chmod 1777 "$directory/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$directory/namespace"
cd "$directory/namespace"
mkdir layer directory upper work empty outer masks masks/usr masks/etc masks/opt
mount -t tmpfs -o mode=0755 tmpfs outer
mount --bind "$directory" directory
[ -z "$layer" ] || mount --bind "$layer" layer

# What is in the layer may be made by a build, so no program of it may run with our rights. `outer` has the
# host's programs only, read-only; from there the command is started in `outer/inside`, with few rights left.
inside=outer/inside
mkdir $inside
mount -t tmpfs -o mode=0755 tmpfs $inside
for entry in /*; do
  case $entry in
    /usr|/etc|/var|/opt|/srv|/proc|/sys|/dev|/run|/tmp|/builddir|/home|/root|/mnt|/old|/inside) continue ;;
  esac
  [ ! -L "$entry" ] || cp -P "$entry" outer/
  [ ! -L "$entry" ] || cp -P "$entry" $inside/
done
# What others may not read on the host is not for a build either, although that may be root.
[ -n "$overlay_options" ] || find /etc -ignore_readdir_race -xdev -mindepth 1 ! -type l \
  \( ! -perm -004 -o -type d ! -perm -001 \) -prune -exec sh -euc '
    for secret; do mkdir -p "masks${secret%/*}"; mknod "masks$secret" c 0 0; done
  ' sh {} +
for top in usr etc; do
  mkdir outer/$top
  mount -t overlay -o "lowerdir=masks/$top:/$top" overlay outer/$top
done

# Lays the directory $1 of the layer, if it is one, over the trees $2, with a top that is thrown away.
lay_over() {
  mkdir -p "$inside/$1" "upper/$1" "work/$1"
  lower=$2
  [ ! -d "layer/$1" ] || [ -L "layer/$1" ] || lower=layer/$1:$lower
  mount -t overlay -o "lowerdir=$lower,upperdir=upper/$1,workdir=work/$1$overlay_options" overlay "$inside/$1"
}
for top in usr etc opt; do
  host=masks/$top
  [ ! -d /$top ] || host=$host:/$top
  lay_over $top $host 2>/dev/null || {
    # The kernel refuses a layer that lies below the host's directory itself, but not below another view of that.
    mkdir -p view/$top
    mount -t overlay -o "lowerdir=$host" overlay view/$top
    lay_over $top view/$top
  }
done
lay_over srv empty

# Of what the host keeps in /var, a build gets what programs are set up by.
lay_over var empty
for entry in /var/*; do
  [ ! -e "$inside$entry" ] && [ ! -L "$inside$entry" ] || continue
  if [ -L "$entry" ]; then cp -P "$entry" "$inside/var/"; elif [ -d "$entry" ]; then mkdir "$inside$entry"; fi
done
[ -e $inside/var/tmp ] || [ -L $inside/var/tmp ] || mkdir $inside/var/tmp
for kept in cache/fontconfig lib/alternatives lib/aspell lib/ca-certificates lib/ca-certificates-java lib/dictionaries-common \
  lib/dpkg lib/emacsen-common lib/ghc lib/ispell lib/ocaml lib/python lib/sgml-base lib/tex-common lib/texmf lib/xml-core
do
  # What links of the layer lead to is not to be touched.
  [ -d "/var/$kept" ] && [ -d "$inside/var/${kept%/*}" ] && [ ! -L layer/var ] || continue
  [ ! -L "$inside/var/${kept%/*}" ] && [ ! -L "$inside/var/$kept" ] || continue
  [ ! -e "$inside/var/$kept" ] || [ -d "$inside/var/$kept" ] || continue
  lay_over "var/$kept" "/var/$kept"
done

cd $inside
mkdir proc sys dev run tmp builddir home root mnt
mount --bind ../../directory builddir
mount --bind builddir/tmp tmp
[ ! -d var/tmp ] || [ -L var/tmp ] || mount --bind builddir/tmp var/tmp
mount -t proc proc proc
for entry in sys sysrq-trigger irq bus; do
  [ -e proc/$entry ] || continue
  mount --bind proc/$entry proc/$entry
  mount -o remount,bind,ro proc/$entry
done
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=0755 tmpfs dev
mkdir dev/shm dev/pts
chmod 1777 dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
for node in null zero full random urandom; do
  : >dev/$node
  mount --bind /dev/$node dev/$node
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

cd ..
mkdir old
ln -s inside/proc proc
ln -s inside/dev dev
pivot_root . old
cd /
umount -l /old
rmdir /old
# A machine without this program builds without a loopback device.
ip link set lo up 2>/dev/null || :

stage=run
code=0
# A session of its own cannot type into the terminal of the user. What is left of root's rights is what RPM
# needs for files and users; they do not reach devices, mounts or the kernel.
setsid --wait setpriv --no-new-privs --inh-caps=-all \
  --bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+setuid,+setgid,+kill,+sys_chroot \
  chroot inside env --chdir=/builddir "$@" </dev/null &
wait $! || code=$?
[ $code = 0 ] || code=119
exit $code
