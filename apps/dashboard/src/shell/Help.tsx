import type { ReactNode } from "react"
import { Dialog } from "../ui/Dialog.tsx"
import { KeyMap } from "../ui/KeyMap.tsx"

export const Help = ({ onClose }: { readonly onClose: () => void }): ReactNode => (
  <Dialog title="Keyboard map" onClose={onClose} wide part="help">
    <KeyMap />
  </Dialog>
)
