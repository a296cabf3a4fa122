// What programs in Java do much of, with a result that does not depend on the machine: Work TIMES
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

public class Work {
    static final class Node {
        final Node left, right;
        final int key;

        Node(int depth, int key) {
            this.key = key;
            left = depth > 0 ? new Node(depth - 1, key * 31 + 1) : null;
            right = depth > 0 ? new Node(depth - 1, key * 31 + 2) : null;
        }

        long sum() {
            return key + (left == null ? 0 : left.sum() - right.sum());
        }
    }

    static long trees(int turn) {
        long sum = 0;
        for (int n = 0; n < 20; n++)
            sum += new Node(13, turn + n).sum();
        return sum;
    }

    static long containers(int turn) {
        var counts = new TreeMap<String, Integer>();
        var random = new Random(turn);
        for (int n = 0; n < 20000; n++)
            counts.merge("word" + random.nextInt(3000), n, Integer::sum);
        return counts.entrySet().stream().filter(one -> one.getKey().endsWith("7"))
            .mapToLong(Map.Entry::getValue).sum();
    }

    static long texts(int turn) {
        var text = new StringBuilder();
        for (int n = 0; n < 5000; n++)
            text.append(String.format("%04x ", n * 7919 ^ turn));
        return Arrays.stream(text.toString().split(" ")).sorted(Comparator.reverseOrder())
            .collect(Collectors.joining(",")).hashCode();
    }

    static long numbers(int turn) {
        double[][] a = new double[80][80], b = new double[80][80];
        for (int i = 0; i < 80; i++)
            for (int j = 0; j < 80; j++) {
                a[i][j] = i * j % 7 + turn;
                b[i][j] = i - j;
            }
        double sum = 0;
        for (int i = 0; i < 80; i++)
            for (int j = 0; j < 80; j++)
                for (int k = 0; k < 80; k++)
                    sum += a[i][k] * b[k][j];
        return (long) sum;
    }

    public static void main(String[] words) throws Exception {
        var pool = Executors.newFixedThreadPool(4);
        var tasks = new ArrayList<Callable<Long>>();
        for (int n = 0; n < Integer.parseInt(words[0]); n++) {
            int turn = n;
            tasks.add(() -> trees(turn) + containers(turn) + texts(turn) + numbers(turn));
        }
        long total = 0;
        for (var one : pool.invokeAll(tasks))
            total += one.get();
        pool.shutdown();
        System.out.println("done " + total);
    }
}
