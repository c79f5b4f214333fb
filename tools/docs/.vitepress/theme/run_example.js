// A button below an example that runs it in a frame: live/index.html with a photo.
import { withBase } from 'vitepress';
import { defineComponent, h, ref } from 'vue';

export const RunExample = defineComponent({
  props: { photo: { type: String, required: true }, code: { type: String, required: true } },
  setup({ photo, code }) {
    const runs = ref(0);
    return () =>
      h('div', { class: 'run-example' }, [
        h(
          'button',
          { type: 'button', onClick: () => runs.value++ },
          runs.value ? 'Run it again' : 'Run it here',
        ),
        runs.value > 0 &&
          h('iframe', {
            key: runs.value,
            title: 'Result of the example',
            src: `${withBase('/live/index.html')}?photo=${encodeURIComponent(photo)}#${code}`,
          }),
      ]);
  },
});
